"""The vendor's API as an OpenAPI 3.1 document: `make openapi` writes docs/openapi.json.

What comes in is described by the very types that read it; what goes out is described here, and tests hold the answers
to it.
"""

import json
import sys
from typing import Any

from lti_tool.domain.score import ScoreMessage, ScoreState
from lti_tool.use_cases.vendor import SUPERSEDED

EXAMPLES: dict[str, dict[str, Any]] = {
    "mark": {
        "summary": "27 of 40 points, which the gradebook scales to its own maximum",
        "value": {
            "issuer": "https://canvas.instructure.com",
            "client_id": "10000000000001",
            "deployment_id": "1:8865aa05b4b79b64a91a86042e43af5ea8ae79eb",
            "line_item": "https://school.instructure.com/api/lti/courses/1/line_items/2",
            "user_id": "535fa085f22b4655f48cd5a36a9215f64c062838",
            "score_given": 27,
            "score_maximum": 40,
            "activity_progress": "Completed",
            "grading_progress": "FullyGraded",
            "timestamp": "2026-11-22T12:00:00.250Z",
            "comment": "Well weighed.",
        },
    },
    "waits for a person": {
        "summary": "Handed in, to be marked by hand",
        "value": {
            "issuer": "https://moodle.example.edu",
            "client_id": "aBcDeFgHiJkLmNo",
            "deployment_id": "1",
            "line_item": "https://moodle.example.edu/mod/lti/services.php/2/lineitems/3/lineitem?type_id=1",
            "user_id": "4",
            "activity_progress": "Submitted",
            "grading_progress": "PendingManual",
            "timestamp": "2026-11-22T13:00:00+01:00",
        },
    },
}
"""Score messages as they may be sent."""

_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_SCHEMAS: dict[str, Any] = {
    "Receipt": {
        "type": "object",
        "required": ["id", "state"],
        "properties": {
            "id": {
                "type": "string",
                "pattern": "^[A-Za-z0-9_-]{66}$",
                "description": "The same for every score of one learner in one column. It names no person.",
            },
            "state": {"enum": [*(state.value for state in ScoreState), SUPERSEDED]},
        },
    },
    "Score": {
        "type": "object",
        "description": "Where the newest score of this id is.",
        "required": ["id", "state", "sentence", "attempts", "timestamp"],
        "properties": {
            "id": _TEXT,
            "state": {"enum": [state.value for state in ScoreState]},
            "sentence": {"type": "string", "description": "The state and its cause in words."},
            "cause": {"type": "string", "description": "A stable code, while it waits or when it was refused."},
            "attempts": {"type": "integer", "minimum": 0},
            "timestamp": {**_TIME, "description": "When the score changed, as you said."},
            "next_try_at": {**_TIME, "description": "While it waits."},
            "sent_timestamp": {**_TIME, "description": "Under which the platform last took one."},
        },
    },
    "Launch": {
        "type": "object",
        "description": "A verified launch as the tool understood it; what the platform did not send is left out.",
        "required": ["launch_id", "message_type", "issuer", "client_id", "deployment_id", "user", "roles", "activity"],
        "properties": {
            **dict.fromkeys(("launch_id", "message_type", "issuer", "client_id", "deployment_id", "locale"), _TEXT),
            "user": {"type": "object", "properties": {"id": _TEXT, "name": _TEXT, "email": _TEXT}},
            "roles": {"type": "array", "items": _TEXT},
            "privileges": {"type": "array", "items": _TEXT, "description": "What the roles amount to here."},
            "rights": {"type": "array", "items": _TEXT, "description": "What the privileges allow."},
            "context": {"type": "object", "description": "The course."},
            "resource_link": {"type": "object", "description": "The link in the course."},
            "for_user": {"type": "object", "description": "Whose work a submission review opens."},
            "custom": {"type": "object", "additionalProperties": _TEXT},
            "line_item": {"type": "string", "description": "The link's gradebook column, when it has exactly one."},
            "services": {"type": "object"},
            "return_url": _TEXT,
            "activity": {
                "type": "object",
                "required": ["id", "title", "kind"],
                "properties": {
                    "id": _TEXT,
                    "title": _TEXT,
                    "kind": _TEXT,
                    "score_maximum": {"type": ["number", "null"]},
                },
            },
        },
    },
    "GatewayMessage": {
        "type": "object",
        "description": "What the gateway says to whom it does not let in: the request did not come to the tool.",
        "required": ["message"],
        "properties": {"message": _TEXT},
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457, with a stable code: docs/errors.md says more about each.",
        "required": ["type", "title", "status", "code", "detail", "support_id"],
        "properties": {
            **dict.fromkeys(("type", "title", "code", "detail", "support_id"), _TEXT),
            "status": {"type": "integer"},
            "errors": {
                "type": "array",
                "description": "The faulty fields of a score message.",
                "items": {
                    "type": "object",
                    "required": ["field", "problem"],
                    "properties": {"field": _TEXT, "problem": _TEXT},
                },
            },
        },
    },
}


def document() -> dict[str, Any]:
    message = ScoreMessage.model_json_schema(ref_template="#/components/schemas/{model}")
    message["description"] = "A whole score. The same JSON is a message for the scores queue."
    parts = message.pop("$defs", {})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Serverless LTI, for a vendor's backend",
            "version": "1",
            "description": "Every request is signed by an AWS identity that may call it: docs/vendor.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "{VendorUrl}",
                "variables": {
                    "VendorUrl": {"default": "http://localhost:8080", "description": "The stack's output of that name."}
                },
            }
        ],
        "security": [{"aws_iam": []}],
        "paths": {
            "/api/scores": {
                "post": {
                    "operationId": "sendScore",
                    "summary": "Take a score. It is safe once this answers, and reaches the gradebook when it can.",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": _ref("ScoreMessage"), "examples": EXAMPLES}},
                    },
                    "responses": {
                        "200": _answer("A newer score is there already; this one is not sent.", "Receipt"),
                        "202": _answer("Taken, or taken before.", "Receipt"),
                        **_problems(403, 409, 413, 422, 503),
                    },
                }
            },
            "/api/scores/{id}": {
                "get": {
                    "operationId": "findScore",
                    "summary": "Where a score is, and why.",
                    "parameters": [_parameter("id", "As sendScore answered it.")],
                    "responses": {"200": _answer("The newest score of this id.", "Score"), **_problems(404, 503)},
                }
            },
            "/api/launches/{code}": {
                "get": {
                    "operationId": "exchangeLaunchCode",
                    "summary": "The launch of whoever brought this code. It works once, within two minutes.",
                    "parameters": [_parameter("code", "The parameter `code` that the browser came with.")],
                    "responses": {"200": _answer("The launch.", "Launch"), **_problems(403, 404, 503)},
                }
            },
        },
        "components": {
            "schemas": {"ScoreMessage": message, **parts, **_SCHEMAS},
            "securitySchemes": {
                "aws_iam": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "AWS Signature Version 4, service `execute-api`.",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}}


def _parameter(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": _TEXT}


def _problems(*statuses: int) -> dict[str, Any]:
    meanings = {
        403: "No pact with this platform or deployment, or it is off; without a good signature, the gateway's own"
        " answer.",
        404: "There is none of this name, or not any more.",
        409: "Another score has the same timestamp.",
        413: "Too large.",
        422: "Not as documented; `errors` names each faulty field.",
        503: "The tool's memory does not answer; send the same again.",
    }
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    gateways = {**content, "application/json": {"schema": _ref("GatewayMessage")}}
    return {
        str(status): {"description": meanings[status], "content": gateways if status == 403 else content}
        for status in sorted({403, *statuses})
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
