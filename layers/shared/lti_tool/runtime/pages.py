"""The pages that the doors themselves answer with: small, whole, and without a reference to elsewhere."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from shlex import quote
from string import Template
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lti_tool.domain.addresses import LONGEST_REGISTERED_URL, web_address
from lti_tool.domain.errors import DeploymentPendingError, InvalidScoreError, ToolError, UnknownRegistrationError
from lti_tool.domain.storage import OPENER
from lti_tool.runtime.languages import Language
from lti_tool.runtime.settings import settings

if TYPE_CHECKING:  # the key set's door starts without them
    from lti_tool.domain.login import AuthenticationRequest
    from lti_tool.domain.registration import Registration
    from lti_tool.domain.storage import StoragePlace

_LONGEST_CLIENT_ID = 255

# One issuer, and one set of addresses, for all schools: what `lti platform add` knows them as.
_PRESETS = {
    "https://canvas.instructure.com": "canvas",
    "https://canvas.beta.instructure.com": "canvas --environment=beta",
    "https://canvas.test.instructure.com": "canvas --environment=test",
    "https://blackboard.com": "blackboard",
    "https://schoology.schoology.com": "schoology",
}

_STYLE = (
    ":root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}body{margin:0}"
    "main{max-inline-size:36rem;margin-inline:auto;padding:2rem 1rem}h1{font-size:1.35rem;line-height:1.3}"
    "button{font:inherit;padding:.6rem 1.1rem;border-radius:.4rem;border:1px solid;cursor:pointer}"
    "summary{cursor:pointer}small{opacity:.8}dd{margin:0 0 .5rem}"
    "code{user-select:all;overflow-wrap:anywhere;direction:ltr;unicode-bidi:isolate}"
    "a.button{display:inline-block;padding:.6rem 1.1rem;border-radius:.4rem;border:1px solid}"
)


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


# --- The launch's pages: a data block, and one script from `scripts/` under a nonce ------------------------------


def launched(session: str, landing: str, nonce: str, reader: Language) -> str:
    """Hands the session token to its browser tab and makes room for the landing page."""
    return _scripted("launched", "launch", {"session": session, "landing": landing}, nonce, reader)


def binding_login(
    question: AuthenticationRequest,
    place: StoragePlace | None,
    again: Iterable[tuple[str, str]],
    nonce: str,
    reader: Language,
) -> str:
    """Finds out what binds this window to the browser: a cookie, platform storage, or a window of its own.

    `again` are the fields of the platform's initiation, with which a new window begins anew.
    """
    data: dict[str, Any] = {
        "endpoint": question.endpoint,
        "url": None if question.is_too_long else question.url,
        "fields": dict(question.fields),
        "again": [*(pair for pair in again if pair[0] != "lti_storage_target"), ("lti_storage_target", OPENER)],
        "storage": place and {**_place(place), "value": question.storage_secret},
    }
    return _scripted("binding-login", "login", data, nonce, reader)


def storage_proof(place: StoragePlace, answer: Mapping[str, str], nonce: str, reader: Language) -> str:
    """Fetches the secret from platform storage and posts it, with the platform's answer, to `/lti/launch/finish`."""
    return _scripted("storage-proof", "proof", {"storage": _place(place), "answer": dict(answer)}, nonce, reader)


def self_posting(
    action: str, fields: Mapping[str, str], nonce: str, reader: Language, *, saying: str = "returning"
) -> str:
    """Posts fields to a platform. Where scripts are off, a button does it; `saying` is the word for what happens."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    body = (
        f'<form method="post" action="{escape(action)}" id="return">{inputs}<p>{escape(reader.page(saying))}</p>'
        f"<noscript><button>{escape(reader.page('return'))}</button></noscript></form>"
        f'<script nonce="{nonce}">document.getElementById("return").submit();</script>'
    )
    return _page(reader.page(saying), body, nonce, reader)


def _place(place: StoragePlace) -> dict[str, str]:
    return {"origin": place.origin, "frame": place.frame, "key": place.key}


def _scripted(script: str, block: str, data: Mapping[str, Any], nonce: str, reader: Language) -> str:
    words = ("new_window_title", "new_window_reason", "new_window", "new_window_opened", "store_unanswered")
    data = data if script == "launched" else {**data, "words": {word: reader.page(word) for word in words}}
    document = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    body = (
        f"<p>{escape(reader.page('opening'))}</p><noscript><p>{escape(reader.page('needs_javascript'))}</p></noscript>"
        f'<script type="application/json" id="{block}">{document}</script>'
        f'<script type="module" nonce="{nonce}">\n{_script(script)}</script>'
    )
    return _page(reader.page("opening"), body, nonce, reader)


@cache
def _script(name: str) -> str:
    folder = Path(__file__).parent / "scripts"
    shared = "" if name == "launched" else (folder / "platform-storage.js").read_text(encoding="utf-8")
    return shared + (folder / f"{name}.js").read_text(encoding="utf-8")


# --- Registration -----------------------------------------------------------------------------------------------


def confirm_registration(
    *,
    tenant: str,
    issuer: str,
    claims: Iterable[str],
    services: Iterable[str],
    placements: Iterable[str],
    fields: Mapping[str, str],
    nonce: str,
    reader: Language,
) -> str:
    """Shows an administrator what registering means; only the button does it."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    rows = (
        ("register_platform", issuer),
        ("register_tenant", tenant),
        ("register_shared", ", ".join(claims)),
        ("register_services", ", ".join(services)),
        ("register_placements", ", ".join(placements)),
    )
    listed = "".join(f"<dt>{escape(reader.page(word))}</dt><dd>{escape(value)}</dd>" for word, value in rows if value)
    body = (
        f"<h1>{escape(reader.page('register_title'))}</h1><dl>{listed}</dl>"
        f'<form method="post" action="/lti/register">{inputs}'
        f'<button id="register">{escape(reader.page("register"))}</button></form>'
    )
    return _page(reader.page("register_title"), body, nonce, reader)


def registered(registration: Registration, nonce: str, reader: Language) -> str:
    """Tells the platform's window to close; the message holds nothing that others may not hear."""
    body = (
        f"<h1>{escape(reader.page('registered_title'))}</h1><p>{escape(reader.page('registered'))}</p>"
        f"<dl><dt>Client ID</dt><dd><code>{escape(registration.client_id)}</code></dd></dl>"
        f'<script nonce="{nonce}">'
        '(window.opener ?? window.parent).postMessage({ subject: "org.imsglobal.lti.close" }, "*");</script>'
    )
    return _page(reader.page("registered_title"), body, nonce, reader)


# --- Refusals ---------------------------------------------------------------------------------------------------

_REFUSAL = Template("""<h1>$sentence</h1>
<p>$student</p>
$back
<details><summary>$if_teach</summary><p>$teacher</p></details>
<details><summary>$if_administrate</summary><p>$administrator</p>$values</details>
<p><small>$code_word <code id="code">$code</code> · $support_word <code id="support-id">$support_id</code></small></p>
""")


def refusal(error: ToolError, support_id: str, nonce: str, reader: Language, *, tool_url: str = "") -> str:
    """One calm sentence, and what each reader can do next; to an unknown platform, the values to register us with."""
    if isinstance(error, DeploymentPendingError) and error.place is not None:
        return _waiting(error, error.place, support_id, nonce, reader)
    back = _return_address(error, support_id, reader)
    link = f'<p><a href="{escape(back)}">{escape(reader.page("back_to_course"))}</a></p>' if back else ""
    sentence = reader.sentence(error)
    body = _REFUSAL.substitute(
        sentence=escape(sentence),
        student=escape(reader.step(error.student)),
        teacher=escape(reader.step(error.teacher)),
        administrator=escape(reader.step(error.administrator)),
        values=_how_to_register(error, tool_url, reader) if tool_url else "",
        back=link,
        if_teach=escape(reader.page("if_you_teach")),
        if_administrate=escape(reader.page("if_you_administrate")),
        code_word=escape(reader.page("code")),
        code=escape(error.code),
        support_word=escape(reader.page("support_id")),
        support_id=escape(support_id),
    )
    return _page(sentence, body, nonce, reader)


_WAITING = Template("""<h1>$title</h1>
<p>$sentence $what</p>
<p>$tell</p>
<dl>$values</dl>
<p>$again</p>
$back
<details><summary>$if_administrate</summary><p>$administrator</p><p><code id="command">$command</code></p></details>
<p><small>$code_word <code id="code">$code</code></small></p>
""")


def _waiting(
    error: DeploymentPendingError, place: tuple[str, str, str, str], support_id: str, nonce: str, reader: Language
) -> str:
    """Nothing is wrong: what happens now, whom to tell, and the values to hand on."""
    reference, issuer, client_id, deployment_id = place
    values = (
        (reader.page("register_platform"), "issuer", issuer),
        ("Client ID", "client-id", client_id),
        (reader.page("waiting_deployment"), "deployment-id", deployment_id),
        (reader.page("support_id"), "support-id", support_id),
    )
    back = _return_address(error, support_id, reader)
    title = reader.page("waiting_title")
    body = _WAITING.substitute(
        title=escape(title),
        sentence=escape(reader.sentence(error)),
        what=escape(reader.page("waiting_what")),
        tell=escape(reader.page("waiting_tell")),
        values="".join(
            f'<dt>{escape(name)}</dt><dd><code id="{anchor}">{escape(value)}</code></dd>'
            for name, anchor, value in values
        ),
        again=escape(reader.page("waiting_again")),
        back=f'<p><a class="button" href="{escape(back)}">{escape(reader.page("back_to_course"))}</a></p>'
        if back
        else "",
        if_administrate=escape(reader.page("if_you_administrate")),
        administrator=escape(reader.step(error.administrator)),
        command=escape(f"lti deployment approve {quote(reference)} {quote(deployment_id)}"),
        code_word=escape(reader.page("code")),
        code=escape(error.code),
    )
    return _page(title, body, nonce, reader)


def _how_to_register(error: ToolError, tool_url: str, reader: Language) -> str:
    """The tool's addresses; to a login, also what it claimed to come from, and the command that would register that.

    What came in is filled in where it could be right at all, and never believed.
    """
    if not isinstance(error, UnknownRegistrationError):
        return ""
    if error.claimed is None:
        return _tool_values(tool_url)
    issuer = web_address(error.claimed[0]) if len(error.claimed[0]) <= LONGEST_REGISTERED_URL else None
    client_id = error.claimed[1] or ""
    if len(client_id) > _LONGEST_CLIENT_ID or not client_id.isprintable():
        client_id = ""
    named = "".join(
        f'<dt>{name}</dt><dd><code id="{anchor}">{escape(value)}</code></dd>'
        for name, anchor, value in (("Issuer", "issuer", issuer), ("Client ID", "client-id", client_id))
        if value
    )
    preset, client = _PRESETS.get(issuer or ""), f"--client-id={quote(client_id or 'CLIENT_ID')}"
    custom = f"custom --issuer={quote(issuer or 'ISSUER')} {client}"
    command = (
        f"lti platform add {preset} {client}"
        if preset
        else f"lti platform add {custom} --auth-url=AUTH_URL --token-url=TOKEN_URL --jwks-url=JWKS_URL"
    )
    return (
        (f"<p>{escape(reader.page('claimed'))}</p><dl>{named}</dl>" if named else "")
        + f"<p>{escape(reader.page('tool_addresses'))}</p>{_tool_values(tool_url)}"
        + f"<p>{escape(reader.page('register_preset' if preset else 'register_command'))}</p>"
        + f'<p><code id="command">{escape(command)}</code></p>'
    )


def _tool_values(tool_url: str) -> str:
    values = (
        ("Login URL", "login"),
        ("Redirect URL", "launch"),
        ("Keyset URL", "jwks.json"),
        ("Canvas", "canvas.json"),
    )
    return (
        "<dl>"
        + "".join(f"<dt>{name}</dt><dd><code>{escape(tool_url)}/lti/{path}</code></dd>" for name, path in values)
        + "</dl>"
    )


def problem(error: ToolError, support_id: str, reader: Language) -> dict[str, Any]:
    """The same for programs: RFC 9457, with our `code` and `support_id`. `docs` is where its page stands."""
    faults = error.faults if isinstance(error, InvalidScoreError) else {}
    return {
        "type": f"urn:serverless-lti:error:{error.code}",
        "title": reader.sentence(error),
        "status": error.status,
        "code": error.code,
        "detail": reader.step(error.student),
        "teacher": reader.step(error.teacher),
        "administrator": reader.step(error.administrator),
        "docs": f"docs/errors.md#{error.code}",
        "support_id": support_id,
        **({"errors": [{"field": field, "problem": problem} for field, problem in faults.items()]} if faults else {}),
    }


def _return_address(error: ToolError, support_id: str, reader: Language) -> str | None:
    """The platform's own return address with our message (LTI 1.3, 5.4.4); its query stays."""
    if error.return_url is None:
        return None
    parts = urlsplit(error.return_url)
    if parts.scheme != "https" and not settings().loopback_http:
        return None
    told = [("lti_errormsg", reader.sentence(error)), ("lti_errorlog", f"{error.code} {support_id}")]
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in dict(told)]
    return urlunsplit(parts._replace(query=urlencode([*query, *told])))


def _page(title: str, body: str, nonce: str, reader: Language) -> str:
    return (
        f'<!doctype html>\n<html lang="{reader.tag}" dir="{reader.direction}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style nonce="{nonce}">{_STYLE}</style></head>\n'
        f"<body><main>\n{body}\n</main></body></html>\n"
    )
