"""POST /lti/launch: the platform's authentication response arrives and a launch begins.

POST /lti/launch/finish: the same, where the browser keeps no cookie and platform storage has the proof.
"""

from lti_tool.domain.errors import NotFoundError
from lti_tool.domain.launch import landing_of
from lti_tool.domain.login import AuthenticationResponse
from lti_tool.runtime import framing, http, pages, wiring


@http.endpoint("launch", prepare=wiring.launch_verifier, traced=True)
def lambda_handler(request: http.Request) -> http.Response:
    request.require_method("POST")
    form = request.form()
    if request.path == "/lti/launch/finish":
        return _launched(request, AuthenticationResponse.with_storage_proof(form))
    if request.path != "/lti/launch":
        raise NotFoundError
    response = AuthenticationResponse.from_browser(form, request.cookies)
    return _launched(request, response) if response.browser_secret else _proof_wanted(request, response)


def _launched(request: http.Request, response: AuthenticationResponse) -> http.Response:
    token, launch, registration = wiring.launch_verifier().verify(response, request.tool_url, request.trail)
    nonce = pages.new_nonce()
    return http.html(
        pages.launched(str(token), landing_of(launch), nonce, request.language),
        nonce,
        ancestors=framing.ancestors_of(registration, launch),
        cookies=(http.set_cookie(response.state.cookie_name, "", max_age=0),),
    )


def _proof_wanted(request: http.Request, response: AuthenticationResponse) -> http.Response:
    place = wiring.launch_verifier().storage_wanted(response, request.tool_url, request.trail)
    nonce = pages.new_nonce()
    answer = {"state": str(response.state), "id_token": response.id_token.encoded}
    return http.html(pages.storage_proof(place, answer, nonce, request.language), nonce)
