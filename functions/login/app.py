"""GET, POST /lti/login: the platform initiates a login and is asked who is there."""

from lti_tool.domain.login import ATTEMPT_LIVES, LoginInitiation, outdated_cookies
from lti_tool.runtime import http, wiring


@http.endpoint("login", prepare=wiring.login_starter)
def lambda_handler(request: http.Request) -> http.Response:
    request.require_method("GET", "POST")
    initiation = LoginInitiation.parse(request.parameters())
    question = wiring.login_starter().start(initiation, redirect_uri=f"{request.tool_url}/lti/launch")
    remember = http.set_cookie(question.cookie.name, question.cookie.value, max_age=int(ATTEMPT_LIVES.total_seconds()))
    forget = [http.set_cookie(name, "", max_age=0) for name in outdated_cookies(request.cookies)]
    return http.Response(status=302, headers={"Location": question.url}, cookies=(remember, *forget))
