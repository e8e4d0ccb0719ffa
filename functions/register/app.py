"""GET /lti/canvas.json: Canvas's tool configuration. GET, POST /lti/register: dynamic registration by invitation."""

from lti_tool.domain.canvas import canvas_configuration
from lti_tool.domain.dynamic_registration import TOOL_CONFIGURATION, placements_asked, services_asked
from lti_tool.domain.errors import NotFoundError, NotIntroducedError
from lti_tool.runtime import http, pages, wiring
from lti_tool.use_cases.register import Introduction


@http.endpoint("register", traced=True)
def lambda_handler(request: http.Request) -> http.Response:
    if request.path == "/lti/canvas.json":
        request.require_method("GET")
        regions = wiring.key_publisher().deployed(request.tool_url)
        return http.as_json(canvas_configuration(wiring.offer(), request.tool_url, regions))
    if request.path != "/lti/register":
        raise NotFoundError
    request.require_method("GET", "POST")
    parameters = request.parameters()
    token = parameters.required("invitation")
    configuration_url = parameters.optional("openid_configuration")
    if not configuration_url:  # somebody clicked on it, in the operator's letter
        raise NotIntroducedError
    introduction = Introduction(
        configuration_url=configuration_url,
        registration_token=parameters.optional("registration_token") or None,
    )
    nonce = pages.new_nonce()
    if request.method == "POST":
        registration = wiring.platform_registrar().register(token, introduction, request.tool_url)
        return http.html(pages.registered(registration, nonce, request.language), nonce)
    invitation, platform = wiring.platform_registrar().introduce(token, introduction)
    asked = wiring.platform_registrar().request(platform, request.tool_url)
    page = pages.confirm_registration(
        tenant=invitation.tenant,
        issuer=platform.issuer,
        claims=asked[TOOL_CONFIGURATION]["claims"],
        services=services_asked(asked),
        placements=placements_asked(asked),
        fields=dict(parameters.pairs()),
        nonce=nonce,
        reader=request.language,
    )
    return http.html(page, nonce)
