"""Every few minutes: scores whose next try is due are put on the queue again."""

from typing import Any

from lti_tool.runtime import telemetry, wiring


def lambda_handler(_: dict[str, Any], __: object) -> dict[str, int]:
    nudged = wiring.sweep().run()
    # The alarm OldestScoreAlarm reads this line.
    telemetry.logger().info("swept", nudged=nudged, oldest_seconds=wiring.sweep().oldest_seconds())
    return {"nudged": nudged}
