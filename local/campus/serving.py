"""How Campus answers on the wire."""

from __future__ import annotations

from werkzeug.serving import WSGIRequestHandler


class CampusHandler(WSGIRequestHandler):
    """Quiet, as Campus has a log of its own, and without a `Date`: each platform tells its own time."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())
