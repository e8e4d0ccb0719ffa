"""POST /lti/echo/token, POST /lti/echo/line-item/scores: a platform that `lti smoke` sends a score to."""

from lti_tool.domain.echo import PATH, token_for
from lti_tool.domain.errors import NotFoundError, NotPermittedError
from lti_tool.runtime import http, wiring


@http.endpoint("echo")
def lambda_handler(request: http.Request) -> http.Response:
    request.require_method("POST")
    match request.path.removeprefix(PATH):
        case "/token":
            assertion = request.parameters().required("client_assertion")
            keys = [key for region in wiring.regions().all() for key in region.keys]
            return http.as_json(token_for(assertion, keys, f"{request.tool_url}{PATH}/token", wiring.now()))
        case "/line-item/scores":
            if not request.headers.get("authorization", "").startswith("Bearer "):
                raise NotPermittedError
            return http.as_json({})
    raise NotFoundError
