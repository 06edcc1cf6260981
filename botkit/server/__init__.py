"""The server: HTTP over the packages behind it, by surface. It decides nothing about answers, conversations, tickets.

    app         the Flask application          options     the settings as it uses them
    health      /healthz, /readyz, /metrics
    customer/   what customers and shops ask: the API, the help centre, the widget, the demo shop
    desk/       what agents ask: the desk's pages and its API
    streaming/  live streams
    processes/  gunicorn, its workers and their connections
    http/       what every surface needs: context, errors, limits, reading of requests, templates, OpenAPI

A page or resource is a file, with a blueprint of its own; customer/ and desk/ never import one another.
"""

from botkit.server.app import create_app
from botkit.server.http.context import Context, here
from botkit.server.http.errors import ApiError
from botkit.server.http.token_buckets import Rates

__all__ = [
    "ApiError",
    "Context",
    "Rates",
    "create_app",
    "here",
]
