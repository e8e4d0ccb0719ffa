"""POST /lti/deeplink: the chosen activities go back to the platform, signed."""

from lti_tool.domain.session import SessionToken
from lti_tool.runtime import http, pages, wiring


@http.endpoint("deeplink", prepare=wiring.deep_link_answerer)
def lambda_handler(request: http.Request) -> http.Response:
    request.require_method("POST")
    form = request.form()
    token = SessionToken.parse(form.required("session"))
    selection = wiring.deep_link_answerer().answer(token, form.all("activity"), request.tool_url)
    nonce = pages.new_nonce()
    page = pages.self_posting(selection.return_url, {"JWT": selection.jwt}, nonce, request.language)
    return http.html(page, nonce)
