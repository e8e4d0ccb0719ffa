"""`python -m bench.gradebook`: a platform's token and score services, 20 ms away, in a process of their own.

`POST /token` and every other POST, a score, answer after `WAIT_SECONDS`; `GET` tells what came.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from bench.wire import Answer, Call, serve

WAIT_SECONDS = 0.02


class Gradebook:
    """What came so far: connections, token requests, and each score as learner and points."""

    def __init__(self) -> None:
        self.connections = 0
        self.tokens = 0
        self.scores: list[tuple[str, float]] = []

    def connected(self) -> Answer:
        is_new = True

        async def answer(call: Call) -> tuple[int, bytes]:
            nonlocal is_new
            if call.method == "GET":
                return 200, json.dumps(vars(self)).encode()
            self.connections += is_new  # whoever only looks is no client
            is_new = False
            await asyncio.sleep(WAIT_SECONDS)
            return 200, json.dumps(self._taken(call)).encode()

        return answer

    def _taken(self, call: Call) -> Any:
        if call.target == "/token":
            self.tokens += 1
            return {"access_token": f"token-{self.tokens}", "token_type": "bearer", "expires_in": 3600}
        score = json.loads(call.body)
        self.scores.append((score["userId"], score["scoreGiven"]))
        return {}


if __name__ == "__main__":
    asyncio.run(serve(Gradebook().connected))
