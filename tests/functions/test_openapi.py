"""The published description of the vendor's API is the one that the function keeps to."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
from openapi_spec_validator import validate

from functions.vendor.openapi import EXAMPLES, document
from lti_tool.domain.activity import parse_activity
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, Registration
from tests.support.browser import Answer, Browser
from tests.support.platform import Platform
from tests.support.stack import ROOT, TOOL_URL, Stack, template


def follows(answer: Answer, path: str, method: str) -> None:
    """Fail unless the answer's status, type and shape are described for this operation."""
    described = document()
    response = described["paths"][path][method]["responses"][str(answer.status)]
    content = response["content"][answer.headers["content-type"]]
    schema = {**content["schema"], "components": described["components"]}
    jsonschema.validate(answer.json(), schema, cls=jsonschema.Draft202012Validator)


def knows(stack: Stack, example: dict[str, Any]) -> None:
    stack.knows(
        Registration(
            issuer=example["issuer"],
            client_id=example["client_id"],
            authorization_endpoint="https://lms.example/auth",
            token_endpoint="https://lms.example/token",
            jwks_uri="https://lms.example/jwks",
            deployment_policy=DeploymentPolicy.CLOSED,
            deployments={example["deployment_id"]: DeploymentStatus.ENABLED},
        )
    )


def test_the_committed_document_is_the_generated_one() -> None:
    written = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))

    assert written == json.loads(json.dumps(document())), "make openapi writes it anew"


def test_the_document_is_openapi() -> None:
    validate(document())


def test_it_describes_the_routes_that_want_a_signature_and_no_others() -> None:
    functions = (
        resource["Properties"] for resource in template()["Resources"].values() if "Function" in resource["Type"]
    )
    events = [event["Properties"] for properties in functions for event in properties.get("Events", {}).values()]

    signed = {event["Path"] for event in events if event.get("Auth", {}).get("Authorizer") == "AWS_IAM"}

    assert signed == set(document()["paths"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_taken(stack: Stack, browser: Browser, name: str) -> None:
    example = EXAMPLES[name]["value"]
    knows(stack, example)

    answer = browser.post("/api/scores", document=example)

    assert answer.status == 202
    follows(answer, "/api/scores", "post")


def test_the_functions_answers_are_as_described(stack: Stack, browser: Browser) -> None:
    example = EXAMPLES["mark"]["value"]
    unknown = browser.post("/api/scores", document=example)
    knows(stack, example)

    taken = browser.post("/api/scores", document=example)
    older = browser.post("/api/scores", document={**example, "timestamp": "2026-11-22T11:00:00Z"})
    other = browser.post("/api/scores", document={**example, "score_given": 28})
    faulty = browser.post("/api/scores", document={**example, "score_given": -1})

    assert [answer.status for answer in (unknown, taken, older, other, faulty)] == [403, 202, 200, 409, 422]
    for answer in (unknown, taken, older, other, faulty):
        follows(answer, "/api/scores", "post")
    follows(browser.get(taken.headers["location"]), "/api/scores/{id}", "get")
    follows(browser.get("/api/scores/none"), "/api/scores/{id}", "get")


def test_a_launch_is_as_described(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.offers(parse_activity({"id": "app", "title": "App", "kind": "external", "url": "https://app.example/"}))
    session = browser.launches(platform, f"{TOOL_URL}/activities/app").launch["session"]
    url = browser.post("/api/departure", token=session).json()["url"]
    path = f"/api/launches/{parse_qs(urlsplit(url).query)['code'][0]}"

    for answer in (browser.get(path), browser.get(path)):
        follows(answer, "/api/launches/{code}", "get")


def test_what_the_gateway_says_to_strangers_is_described_for_each_route() -> None:
    forbidden = Answer(
        status=403, headers={"content-type": "application/json"}, cookies=(), body='{"message":"Forbidden"}'
    )

    for path, methods in document()["paths"].items():
        for method in methods:
            follows(forbidden, path, method)
