"""Every hour: whatever step the signing keys' rotation is due to take."""

from typing import Any

from lti_tool.domain.errors import RotationUnderWayError
from lti_tool.runtime import telemetry, wiring


def lambda_handler(_: dict[str, Any], __: object) -> dict[str, Any]:
    rotation = wiring.key_rotation()
    try:
        ring = rotation.run() or rotation.ring()
    except RotationUnderWayError:  # an operator is at it
        ring = rotation.ring()
    states = [key.state.value for key in ring.keys]
    age_days = (wiring.now() - ring.signing.since).days if ring.signing else None
    telemetry.logger().info("keys", states=states, age_days=age_days)
    for reference, why in wiring.key_push().run().items():
        telemetry.logger().warning("public_key_not_pushed", registration=reference, cause=why)
    return {"states": states, "age_days": age_days}
