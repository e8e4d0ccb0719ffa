"""Static pages: files of one folder, read once; no personal data in them."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

from lti_tool.domain.errors import NotFoundError
from lti_tool.runtime import framing, http

_TYPES = {
    ".html": http.HTML,
    ".svg": "image/svg+xml",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


class Pages:
    """`/app/marks` is `marks.html`, `/app/tool.js` is `tool.js`; nothing outside the folder can be named."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _files(self) -> dict[str, tuple[str, str, str]]:
        found = {}
        for path in sorted(self._folder.iterdir()):
            if path.suffix in _TYPES:
                text = path.read_text(encoding="utf-8")
                name = path.stem if path.suffix == ".html" else path.name
                etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
                found[f"/app/{name}"] = (_TYPES[path.suffix], text, etag)
        return found

    def answer(self, request: http.Request) -> http.Response:
        try:
            content_type, text, etag = self._files[request.path]
        except KeyError:
            raise NotFoundError from None
        headers = {
            "Cache-Control": "public, max-age=300",
            "ETag": etag,
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
                f" form-action 'self'; base-uri 'none'; frame-ancestors {framing.anybody()}"
            ),
        }
        if request.headers.get("if-none-match") == etag:
            return http.Response(status=304, headers=headers)
        return http.Response(content_type=content_type, body=text, headers=headers)
