"""Campus as a web application."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask, Response, g

from local.campus.campus import Campus
from local.campus.control import control
from local.campus.pages import pages
from local.campus.platform import doors

APPS = "http://localhost:* http://127.0.0.1:* https:"  # where a tool may lead the frame that it was opened in


def create_app(campus: Campus) -> Flask:
    app = Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(control(campus))
    for profile in campus.platforms.values():
        app.register_blueprint(doors(profile))
    app.register_blueprint(pages(campus))

    def policy() -> str:
        """Forms lead to the tools that are registered here, and to the one about to be; frames to any app."""
        tools = " ".join(["'self'", *sorted(campus.origins() | g.get("more_origins", set()))])
        return (
            f"default-src 'self'; img-src 'self' data:; frame-src {tools} {APPS}; form-action {tools}; "
            "frame-ancestors 'self'; base-uri 'none'; object-src 'none'"
        )

    @app.after_request
    def set_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy())
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        response.date = response.date or datetime.now(UTC)
        return response

    return app
