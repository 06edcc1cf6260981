"""What customers and shops ask: each page or resource a file with a blueprint of its own, registered here."""

from flask import Blueprint

from botkit import chat, desk
from botkit.server.customer import (
    api_docs_page,
    ask_api,
    conversations_api,
    help_pages,
    live_api,
    refusals,
    search_api,
    sitemap,
    widget_page,
)

__all__ = ["blueprint"]

blueprint = Blueprint("customer", __name__)

for each in (ask_api, conversations_api, search_api):
    each.blueprint.register_error_handler(desk.MessageError, refusals.not_taken)
    each.blueprint.register_error_handler(chat.TooMuch, refusals.too_much)
for each in (ask_api, conversations_api, search_api, live_api):
    blueprint.register_blueprint(each.blueprint)
for each in (help_pages, sitemap, widget_page, api_docs_page):
    blueprint.register_blueprint(each.blueprint)
