"""GET, POST /lti/login: the platform initiates a login and is asked who is there."""

from lti_tool.domain.login import ATTEMPT_LIVES, LoginInitiation, outdated_cookies
from lti_tool.domain.storage import OPENER, storage_place
from lti_tool.runtime import http, pages, wiring
from lti_tool.runtime.settings import settings


@http.endpoint("login", prepare=wiring.login_starter, traced=True)
def lambda_handler(request: http.Request) -> http.Response:
    request.require_method("GET", "POST")
    if request.method == "HEAD":
        return http.Response()  # nobody is there to be sent anywhere
    parameters = request.parameters()
    initiation = LoginInitiation.parse(parameters)
    instance = settings().elsewhere.get(initiation.environment or "")
    if instance is not None and instance != request.tool_url:  # 307 keeps method and form
        query = f"?{request.query}" if request.query else ""
        return http.Response(status=307, headers={"Location": f"{instance}/lti/login{query}"})
    paged = request.is_framed or initiation.storage_target == OPENER
    question, registration = wiring.login_starter().start(
        initiation, f"{request.tool_url}/lti/launch", request.trail, paged=paged
    )
    cookies = (
        http.set_cookie(question.cookie.name, question.cookie.value, max_age=int(ATTEMPT_LIVES.total_seconds())),
        *(http.set_cookie(name, "", max_age=0) for name in outdated_cookies(request.cookies)),
    )
    if paged:
        nonce = pages.new_nonce()
        target = initiation.storage_target
        place = storage_place(registration, question.state, target, request.tool_url) if target else None
        page = pages.binding_login(question, place, parameters.pairs(), nonce, request.language)
        return http.html(page, nonce, cookies=cookies)
    if question.is_too_long:
        nonce = pages.new_nonce()
        page = pages.self_posting(question.endpoint, question.fields, nonce, request.language, saying="opening")
        return http.html(page, nonce, cookies=cookies)
    return http.Response(status=302, headers={"Location": question.url}, cookies=cookies)
