"""What agents ask: each page or resource of the desk a file with a blueprint of its own, registered here."""

from flask import Blueprint

from botkit.server.desk import (
    account_page,
    accounts_pages,
    audit_page,
    live_api,
    login_pages,
    outbox_page,
    overview_page,
    queue_page,
    session,
    team_api,
    team_pages,
    ticket_page,
    tickets_api,
)

__all__ = ["blueprint"]

blueprint = Blueprint("desk", __name__)

for each in (tickets_api, team_api, login_pages, queue_page, ticket_page, team_pages, overview_page):
    each.blueprint.before_request(session.alive)
for each in (live_api, tickets_api, team_api):
    blueprint.register_blueprint(each.blueprint)
for each in (login_pages, queue_page, ticket_page, team_pages, overview_page):
    blueprint.register_blueprint(each.blueprint)
for each in (account_page, accounts_pages, audit_page, outbox_page):
    blueprint.register_blueprint(each.blueprint)
