"""The pages that the doors themselves answer with: small, whole, and without a reference to elsewhere."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from html import escape
from string import Template
from urllib.parse import urlsplit

from lti_tool.domain.launch import AnyLaunch
from lti_tool.domain.registration import Registration
from lti_tool.runtime.settings import settings

_LOOPBACK = "http://localhost:* http://127.0.0.1:*"

_REFUSAL = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>This did not open</title></head>
<body><main>
<h1>$sentence</h1>
<p>$next_step</p>
<p><small>Code <code id="code">$code</code> · support id <code id="support-id">$support_id</code></small></p>
</main></body></html>
""")

_LAUNCHED = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Opening</title></head>
<body><p>Opening …</p><noscript><p>Please allow JavaScript for this page.</p></noscript>
<script type="application/json" id="launch">$launch</script>
<script nonce="$nonce">
const { session, landing } = JSON.parse(document.getElementById("launch").textContent);
const launch = session.split(".")[0];
let page = landing + "?launch=" + encodeURIComponent(launch);
try {
  sessionStorage.setItem("lti:" + launch, session);
} catch {
  page += "#session=" + encodeURIComponent(session); // storage denied: the landing page removes it at once
}
location.replace(page);
</script></body></html>
""")

_SELF_POSTING = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Returning to your course</title></head>
<body><form method="post" action="$action" id="return">
<input type="hidden" name="JWT" value="$jwt">
<noscript><button>Return to your course</button></noscript>
</form>
<script nonce="$nonce">document.getElementById("return").submit();</script>
</body></html>
""")


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


def policy(*, ancestors: Iterable[str] = (), nonce: str = "") -> str:
    """The Content-Security-Policy of a page: nothing but, with a nonce, its own inline script.

    Without `ancestors` any https site may frame it: such a page holds no credential. `form-action` is left open, for
    platforms redirect a posted form across their hosts.
    """
    script = f"'nonce-{nonce}'" if nonce else "'none'"
    return (
        f"default-src 'none'; script-src {script}; base-uri 'none'; frame-ancestors {' '.join(ancestors) or anybody()}"
    )


def anybody() -> str:
    return f"https: {_LOOPBACK}" if settings().loopback_http else "https:"


def ancestors_of(registration: Registration, launch: AnyLaunch) -> list[str]:
    """The origins that may frame this launch: those of the registration and of the verified token."""
    urls = [
        registration.issuer,
        registration.authorization_endpoint,
        registration.token_endpoint,
        launch.return_url,
        launch.memberships_url,
        launch.grades and launch.grades.line_items,
        launch.grades and launch.grades.line_item,
    ]
    origins = {origin for url in urls if url and (origin := _origin(url))}
    return ["'self'", *sorted(origins), *registration.frame_ancestors]


def _origin(url: str) -> str | None:
    parts = urlsplit(url)
    plain = parts.netloc.replace(".", "").replace("-", "").replace(":", "").replace("[", "").replace("]", "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"https", "http"} and plain.isalnum() else None


def launched(session: str, landing: str, nonce: str) -> str:
    """The page that hands the session token to its browser tab and makes room for the landing page."""
    document = json.dumps({"session": session, "landing": landing}).replace("<", "\\u003c")
    return _LAUNCHED.substitute(launch=document, nonce=nonce)


def self_posting(action: str, jwt: str, nonce: str) -> str:
    return _SELF_POSTING.substitute(action=escape(action), jwt=escape(jwt), nonce=nonce)


def refusal(sentence: str, next_step: str, code: str, support_id: str) -> str:
    """All four are HTML already."""
    return _REFUSAL.substitute(sentence=sentence, next_step=next_step, code=code, support_id=support_id)
