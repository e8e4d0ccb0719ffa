"""POST /api/scores, GET /api/scores/{id}: the vendor's backend sends scores and asks what became of them.
GET /api/launches/{code}: it learns who has come to its app.

The gateway lets in only requests that are signed by an AWS identity which may call these routes.
"""

from lti_tool.domain.errors import NotFoundError, RequestTooLargeError
from lti_tool.domain.score import parse_score_id, parse_score_message
from lti_tool.runtime import http, views, wiring
from lti_tool.use_cases.vendor import SUPERSEDED


@http.endpoint("vendor", prepare=wiring.score_intake)
def lambda_handler(request: http.Request) -> http.Response:
    noun, _, name = request.path.removeprefix("/api/").partition("/")
    match noun, name:
        case "scores", "":
            request.require_method("POST")
            return _take(request)
        case "scores", _:
            request.require_method("GET")
            return http.as_json(views.score_view(wiring.score_intake().find(parse_score_id(name))))
        case "launches", _:
            request.require_method("GET")
            return _arrive(request, name)
    raise NotFoundError


def _arrive(request: http.Request, code: str) -> http.Response:
    if request.method == "HEAD":
        return http.Response()  # an answer without a body would use the code up for nothing
    session, activity = wiring.arrival().arrive(code)
    return http.as_json({**views.session_view(session), "activity": activity.summary()})


def _take(request: http.Request) -> http.Response:
    if len(request.body) > http.LARGEST_BODY:
        raise RequestTooLargeError
    receipt = wiring.score_intake().take(parse_score_message(request.body))
    return http.as_json(
        {"id": receipt.id, "state": receipt.state},
        status=200 if receipt.state == SUPERSEDED else 202,
        headers={"Location": f"/api/scores/{receipt.id}"},
    )
