"""Platform storage and the other messages between frames, in a browser, with the tool on another site."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, Playwright, expect
from werkzeug.serving import make_server

from local.campus.app import create_app
from local.campus.campus import Campus
from tests.campus.stand_in import Visitor, form_of
from tests.support.chromium import ARGUMENTS, CHROMIUM

PATIENCE_MS = 10_000
FORWARDING = "post_message_forwarding"

# `ask` sends a message and gives the answer to it, or null when none came; `heard` counts all that came.
TOOL_PAGE = """<!DOCTYPE html><title>Tool</title><p id="hint">%s</p>
<script>
  const host = window.parent === window ? window.opener : window.parent;
  let heard = 0;
  addEventListener("message", () => { heard += 1; });
  const ask = (message, frame, target = host, patience = 5000) => new Promise((resolve) => {
    const message_id = String(Math.random());
    addEventListener("message", ({ data, origin, source }) => {
      const where = frame ? target.frames[frame] : target;
      if (data.message_id === message_id) resolve({ ...data, origin, fromFrame: source === where });
    });
    setTimeout(() => resolve(null), patience);
    (frame ? target.frames[frame] : target).postMessage({ message_id, ...message }, "*");
  });
</script>"""


class _ToolPages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = re.search(r"login_hint=(\w+)", form)
        self._answer(found.group(1) if found else "")

    def _answer(self, hint: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write((TOOL_PAGE % hint).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def tool_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ToolPages)
    with served(server):
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def running(tool_url: str) -> Iterator[Campus]:
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    campus = Campus(f"http://127.0.0.1:{server.server_port}", tool_url)
    server.app = create_app(campus)
    with served(server):
        yield campus


class served:  # noqa: N801 - reads as a verb
    """A server in a thread of its own, for as long as the block lasts."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as launched:
        yield launched


@pytest.fixture
def page(browser: Browser, running: Campus) -> Iterator[Page]:
    running.reset()
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def course_url(campus: Campus, more: str = "", slug: str = "canvas", query: str = "as=student1") -> str:
    course = next(iter(campus.platforms[slug].world.courses))
    return f"{campus.url}/{slug}/courses/{course}{more}?{query}"


def opened(page: Page, campus: Campus, slug: str = "canvas") -> Frame:
    """The tool in the frame of the course's first activity."""
    course = next(iter(campus.platforms[slug].world.courses.values()))
    page.goto(course_url(campus, f"/activities/{min(course.activities)}", slug))
    return embedded(page, campus, "tool")


def embedded(page: Page, campus: Campus, name: str) -> Frame:
    frame = page.frame(name=name)
    assert frame is not None
    frame.wait_for_url(f"{campus.tool.origin}/**")
    return frame


def ask(frame: Frame | Page, message: dict[str, Any], to: str | None = None) -> Any:
    return frame.evaluate("([message, to]) => ask(message, to)", [message, to])


def put(frame: Frame | Page, key: Any, value: Any) -> Any:
    ask(frame, {"subject": "lti.capabilities"})  # as a tool does; then the frame is there
    return ask(frame, {"subject": "lti.put_data", "key": key, "value": value}, FORWARDING)


def get(frame: Frame | Page, key: str) -> Any:
    return ask(frame, {"subject": "lti.get_data", "key": key}, FORWARDING)


def test_capabilities_name_the_frame_that_keeps_data(page: Page, running: Campus) -> None:
    tool = opened(page, running)

    answer = ask(tool, {"subject": "lti.capabilities"})

    assert answer["subject"] == "lti.capabilities.response"
    messages = {entry["subject"]: entry.get("frame") for entry in answer["supported_messages"]}
    assert messages["lti.put_data"] == messages["lti.get_data"] == FORWARDING
    assert {"lti.capabilities", "lti.frameResize", "lti.close"} <= messages.keys()


def test_what_the_tool_puts_it_gets_after_it_went_elsewhere_and_came_back(page: Page, running: Campus) -> None:
    tool = opened(page, running)

    stored = put(tool, "state", "secret")
    tool.goto(f"{running.tool.origin}/lti/launch")
    got = get(tool, "state")

    origin = running.url
    assert running.platforms["canvas"].url("authorize").startswith(f"{origin}/")
    assert (stored["subject"], stored["key"], stored["value"]) == ("lti.put_data.response", "state", "secret")
    assert (stored["origin"], stored["fromFrame"]) == (origin, True)
    assert (got["subject"], got["value"], got["origin"]) == ("lti.get_data.response", "secret", origin)


def test_null_deletes(page: Page, running: Campus) -> None:
    tool = opened(page, running)
    put(tool, "state", "secret")

    put(tool, "state", None)

    assert get(tool, "state")["value"] is None


def test_a_wrong_message_to_the_frame_is_answered_with_its_code(page: Page, running: Campus) -> None:
    tool = opened(page, running)
    put(tool, "kept", "as it was")

    for code, message in (
        ("storage_exhaustion", {"subject": "lti.put_data", "key": "k", "value": "x" * 4096}),
        ("bad_request", {"subject": "lti.put_data", "key": "k", "value": 7}),
        ("bad_request", {"subject": "lti.put_data", "value": "x"}),
        ("bad_request", {"subject": "lti.get_data"}),
        ("bad_request", {"subject": "lti.get_data", "key": ""}),
        ("unsupported_subject", {"subject": "lti.capabilities"}),
        ("unsupported_subject", {"subject": "toString", "key": "k"}),
    ):
        answer = ask(tool, message, FORWARDING)
        assert (answer["subject"], answer["error"]["code"]) == (f"{message['subject']}.response", code)

    assert get(tool, "kept")["value"] == "as it was"


def test_there_is_room_for_4096_characters_and_500_keys(page: Page, running: Campus) -> None:
    tool = opened(page, running)

    assert "error" not in put(tool, "k", "x" * 4095)
    put(tool, "k", None)
    tool.evaluate(
        "(frame) => Promise.all([...Array(500).keys()].map("
        "(n) => ask({ subject: 'lti.put_data', key: `${n}`, value: 'x' }, frame)))",
        FORWARDING,
    )

    assert put(tool, "500", "x")["error"]["code"] == "storage_exhaustion"
    assert "error" not in put(tool, "499", "y")


def test_only_the_frame_keeps_data(page: Page, running: Campus) -> None:
    tool = opened(page, running)

    answer = ask(tool, {"subject": "lti.put_data", "key": "k", "value": "x"})

    assert answer["error"]["code"] == "unsupported_subject"


def test_storage_that_is_off_is_not_offered(page: Page, running: Campus) -> None:
    running.platforms["canvas"].faults.set({"storage_off": True})
    tool = opened(page, running)

    answer = ask(tool, {"subject": "lti.capabilities"})

    subjects = {entry["subject"] for entry in answer["supported_messages"]}
    assert "lti.close" in subjects
    assert not subjects & {"lti.put_data", "lti.get_data"}
    assert page.frame(name=FORWARDING) is None


def test_a_window_that_the_course_opened_is_answered_too(page: Page, running: Campus) -> None:
    page.goto(course_url(running))
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Open in a new window: First activity").click()
    window = opening.value
    window.wait_for_url(f"{running.tool.origin}/**")

    put(window, "state", "secret")

    assert get(window, "state")["value"] == "secret"


def test_another_origin_in_such_a_window_is_told_so(page: Page, running: Campus) -> None:
    page.goto(course_url(running))
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Open in a new window: First activity").click()
    window = opening.value
    window.wait_for_url(f"{running.tool.origin}/**")
    elsewhere = running.tool.origin.replace("localhost", "127.0.0.1")
    window.evaluate("(url) => location.assign(url)", f"{elsewhere}/")
    window.wait_for_url(f"{elsewhere}/**")

    assert ask(window, {"subject": "lti.capabilities"})["error"]["code"] == "wrong_origin"
    assert get(window, "state")["error"]["code"] == "wrong_origin"


def test_foreign_windows_are_not_answered(page: Page, running: Campus) -> None:
    # The right origin, but a window that the course neither frames nor opened: it opened the course itself.
    page.goto(f"{running.tool.origin}/")
    with page.expect_popup() as opening:
        page.evaluate("(url) => { window.other = window.open(url); }", course_url(running))
    opening.value.wait_for_load_state()

    asked = "([message, frame]) => ask(message, frame, window.other, 300)"

    assert page.evaluate(asked, [{"subject": "lti.capabilities"}, None]) is None
    assert page.evaluate(asked, [{"subject": "lti.get_data", "key": "state"}, FORWARDING]) is None


def test_moodle_answers_no_message_at_all(page: Page, running: Campus) -> None:
    tool = opened(page, running, "moodle")

    assert tool.evaluate("ask({ subject: 'lti.capabilities' }, null, host, 300)") is None
    assert page.frame(name=FORWARDING) is None


def test_two_embeds_on_one_page_are_two_people_and_hear_their_own_answers_only(page: Page, running: Campus) -> None:
    page.goto(course_url(running, "/two", query="as=student1&and=student2"))
    first, second = (embedded(page, running, name) for name in ("tool-student1", "tool-student2"))

    put(first, "first", "one")
    put(second, "second", "two")

    assert first.inner_text("#hint") != second.inner_text("#hint")
    assert [frame.evaluate("heard") for frame in (first, second)] == [2, 2]
    assert [get(first, "first")["value"], get(second, "second")["value"]] == ["one", "two"]
    expect(page.get_by_test_id("tool-frame-student2")).to_have_attribute("title", "First activity, Ben Carter")


def test_the_tool_says_how_high_its_frame_is_within_bounds(page: Page, running: Campus) -> None:
    tool = opened(page, running)

    for wanted, given in ((640, "640px"), (1, "100px"), (99_999, "5000px")):
        ask(tool, {"subject": "lti.frameResize", "height": wanted})
        expect(page.get_by_test_id("tool-frame")).to_have_css("height", given)


def test_closing_goes_back_to_the_course(page: Page, running: Campus) -> None:
    tool = opened(page, running)

    tool.evaluate("host.postMessage({ subject: 'lti.close' }, '*')")

    page.wait_for_url(course_url(running))


def test_closing_a_window_closes_it(page: Page, running: Campus) -> None:
    page.goto(course_url(running))
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Open in a new window: First activity").click()
    opening.value.wait_for_url(f"{running.tool.origin}/**")

    with opening.value.expect_event("close"):
        opening.value.evaluate("host.postMessage({ subject: 'lti.close' }, '*')")

    assert opening.value.is_closed()


def test_canvas_names_its_storage_in_both_messages_through_the_browser(canvas: Visitor, moodle: Visitor) -> None:
    fields, on_moodle = canvas.begins(), moodle.begins()

    answer = form_of(canvas.asks(fields))

    assert fields["lti_storage_target"] == answer["lti_storage_target"] == FORWARDING
    assert "lti_storage_target" not in on_moodle


def test_storage_that_is_off_is_not_named(canvas: Visitor) -> None:
    canvas.control("faults", {"platform": "canvas", "storage_off": True})

    fields = canvas.begins()

    assert "lti_storage_target" not in fields
    assert "lti_storage_target" not in form_of(canvas.asks(fields))
    assert canvas.client.get(f"{canvas.campus.url}/canvas/{FORWARDING}").status_code == 404


@pytest.mark.parametrize("slug", ["canvas", "moodle"])
def test_a_registration_in_a_frame_leads_back_to_the_tools_when_it_says_that_it_is_done(
    page: Page, running: Campus, slug: str
) -> None:
    page.goto(f"{running.url}/{slug}/?as=admin")
    page.get_by_test_id("registration-url").fill(f"{running.tool.origin}/lti/register?invitation=1")
    page.get_by_test_id("register").click()
    page.wait_for_url("**/register?**")
    registering = embedded(page, running, "registration")

    registering.evaluate("host.postMessage('org.imsglobal.lti.close', '*')")  # as text: nothing happens
    registering.evaluate("host.postMessage({subject: 'org.imsglobal.lti.close'}, '*')")

    page.wait_for_url(f"{running.url}/{slug}/?as=admin")
    expect(page.get_by_role("heading", name="Tools")).to_be_visible()


@pytest.mark.parametrize(("slug", "subject"), [("sakai", "lti.close"), ("brightspace", "org.imsglobal.lti.close")])
def test_a_registration_in_a_window_is_closed_when_it_says_that_it_is_done(
    page: Page, running: Campus, slug: str, subject: str
) -> None:
    page.goto(f"{running.url}/{slug}/register?as=admin&url={running.tool.origin}/lti/register")
    with page.expect_popup() as opening:
        page.get_by_test_id("open-registration").click()
    window = opening.value
    window.wait_for_url(f"{running.tool.origin}/**")

    with window.expect_event("close"):
        window.evaluate(f"host.postMessage({{subject: '{subject}'}}, '*')")

    page.wait_for_url(f"{running.url}/{slug}/?as=admin")


def test_a_pending_tool_is_switched_on_by_a_button(page: Page, running: Campus) -> None:
    canvas = running.platforms["canvas"]
    introduction = canvas.registrar.introduce()
    canvas.keep(
        replace(canvas.fixed, client_id=introduction.client_id, is_fixed=False, state="pending", deployment_id="8:x")
    )
    page.goto(f"{running.url}/canvas/?as=admin")

    page.get_by_role("button", name="Confirm and switch on").click()

    expect(page.get_by_test_id(f"state-{introduction.client_id}")).to_have_text("active")
