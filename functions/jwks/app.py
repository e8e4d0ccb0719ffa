"""GET /lti/jwks.json: our public keys; GET /health: whether tables and key are reachable."""

from lti_tool.runtime import http, wiring

CACHED_SECONDS = 300


@http.endpoint("jwks")  # starts without the SDK: most requests are answered from memory
def lambda_handler(request: http.Request) -> http.Response:
    request.require_method("GET")
    publisher = wiring.key_publisher()
    if request.path == "/health":
        publisher.require_health()
        return http.as_json({"status": "ok"})
    return http.as_json(
        publisher.publish(request.tool_url), headers={"Cache-Control": f"public, max-age={CACHED_SECONDS}"}
    )
