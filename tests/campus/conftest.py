from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from local.campus.app import create_app
from local.campus.campus import Campus
from tests.campus.stand_in import CAMPUS_URL, Clock, StandInTool, Visitor


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def running_tool(clock: Clock) -> Iterator[StandInTool]:
    tool = StandInTool(clock)
    yield tool
    tool.stop()


@pytest.fixture(scope="session")
def standing_campus(running_tool: StandInTool, clock: Clock) -> Campus:
    return Campus(CAMPUS_URL, running_tool.url, now=clock)


@pytest.fixture(scope="session")
def app(standing_campus: Campus) -> Flask:
    return create_app(standing_campus)


@pytest.fixture
def tool(running_tool: StandInTool) -> StandInTool:
    running_tool.begin_again()
    return running_tool


@pytest.fixture
def campus(standing_campus: Campus, clock: Clock) -> Campus:
    clock.time = 1_800_000_000.0
    standing_campus.reset()
    return standing_campus


@pytest.fixture
def client(app: Flask, campus: Campus) -> FlaskClient:  # noqa: ARG001 - reset before the visit
    return app.test_client()


@pytest.fixture
def canvas(campus: Campus, client: FlaskClient, tool: StandInTool) -> Visitor:
    return Visitor(campus, client, tool, "canvas")


@pytest.fixture
def moodle(campus: Campus, client: FlaskClient, tool: StandInTool) -> Visitor:
    return Visitor(campus, client, tool, "moodle")


@pytest.fixture
def blackboard(campus: Campus, client: FlaskClient, tool: StandInTool) -> Visitor:
    return Visitor(campus, client, tool, "blackboard")


@pytest.fixture
def brightspace(campus: Campus, client: FlaskClient, tool: StandInTool) -> Visitor:
    return Visitor(campus, client, tool, "brightspace")


@pytest.fixture
def sakai(campus: Campus, client: FlaskClient, tool: StandInTool) -> Visitor:
    return Visitor(campus, client, tool, "sakai")


@pytest.fixture(params=["canvas", "moodle", "blackboard", "brightspace", "sakai"])
def anywhere(request: pytest.FixtureRequest, campus: Campus, client: FlaskClient, tool: StandInTool) -> Visitor:
    """What every platform does that one can register with."""
    return Visitor(campus, client, tool, request.param)


@pytest.fixture(params=["canvas", "moodle"])
def platform(request: pytest.FixtureRequest, campus: Campus, client: FlaskClient, tool: StandInTool) -> Visitor:
    """The rules that hold everywhere."""
    return Visitor(campus, client, tool, request.param)


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The address of the same Campus on the wire."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
