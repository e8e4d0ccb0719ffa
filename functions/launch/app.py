"""POST /lti/launch: the platform's authentication response arrives and a launch begins."""

from lti_tool.domain.launch import landing_of
from lti_tool.domain.login import AuthenticationResponse
from lti_tool.runtime import http, pages, wiring


@http.endpoint("launch", prepare=wiring.launch_verifier)
def lambda_handler(request: http.Request) -> http.Response:
    request.require_method("POST")
    response = AuthenticationResponse.from_browser(request.form(), request.cookies)
    token, launch, registration = wiring.launch_verifier().verify(response, request.tool_url)
    nonce = pages.new_nonce()
    return http.html(
        pages.launched(str(token), landing_of(launch), nonce),
        pages.policy(ancestors=pages.ancestors_of(registration, launch), nonce=nonce),
        cookies=(http.set_cookie(response.state.cookie_name, "", max_age=0),),
    )
