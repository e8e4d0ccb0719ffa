"""A small stand-in for the tool behind the pages: it serves the real files and answers the API as documented.

It keeps what it is told (attempts, bindings), marks answers by the catalogue's own files, notes each call, and can be
told to fail. The launch page stands in too: it hands a session to a page as an accepted launch does.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "functions" / "console" / "pages"
CATALOGUE = ROOT / "catalogue"
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
ROLES = "http://purl.imsglobal.org/vocab/lis/v2/"

RIGHTS = ("deliver", "choose", "monitor", "grade", "report", "take")
GIVES = {
    "planner": {"deliver", "choose", "monitor", "grade"},
    "chief_invigilator": {"deliver", "monitor"},
    "invigilator": {"deliver", "monitor"},
    "grader": {"monitor", "grade"},
    "reporter": {"report"},
    "candidate": {"take"},
}

Json = dict[str, Any]


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the tests read what was called, not the server's log."""


def catalogue() -> dict[str, Json]:
    """The built-in activities, by id."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(CATALOGUE.glob("*.yaml"))]
    return {activity["id"]: activity for activity in files}


LABORATORY: Json = {
    "id": "laboratory",
    "title": "The laboratory",
    "description": "Weigh, mix, measure.",
    "kind": "external",
    "score_maximum": 40,
}
"""An activity that an app of the vendor's plays."""


def maximum(activity: Json) -> float:
    return float(sum(question["points"] for question in activity["questions"]))


def is_right(question: Json, answer: object) -> bool:
    """Whether an answer earns the question's points, as the catalogue's files say it."""
    match question["kind"]:
        case "choice" if isinstance(question["answer"], list):
            return isinstance(answer, list) and sorted(answer) == sorted(question["answer"])
        case "choice":
            return bool(answer == question["answer"])
        case "number":
            return abs(float(str(answer)) - float(question["answer"])) <= float(question["tolerance"])
    return str(answer).strip().casefold() in {accepted.casefold() for accepted in question["accept"]}


def without_answers(activity: Json) -> Json:
    questions = []
    for question in activity["questions"]:
        shown = {key: question[key] for key in ("id", "kind", "prompt", "points", "unit") if key in question}
        if question["kind"] == "choice":
            shown["options"] = [{"id": key, "text": text} for key, text in question["options"].items()]
            shown["multiple"] = isinstance(question["answer"], list)
        questions.append(shown)
    facts = {key: activity[key] for key in ("id", "title", "description", "kind")}
    return facts | {"score_maximum": maximum(activity), "questions": questions}


def rights_of(privileges: Iterable[str]) -> list[str]:
    """In their order; who is staff does not take the activity."""
    given = set[str]().union(*(GIVES[privilege] for privilege in privileges))
    return [right for right in RIGHTS if right in given and (right != "take" or given == {"take"})]


@dataclass(kw_only=True)
class Call:
    """One call that the pages made: "POST /api/attempt", and what it carried."""

    name: str
    body: Json


@dataclass(kw_only=True)
class StandIn:
    """What the stand-in knows, and what a test may change while a page is open."""

    url: str = ""
    session: Json = field(default_factory=dict)
    activities: dict[str, Json] = field(default_factory=catalogue)
    bound: str | None = "capitals-and-rivers"
    attempt: Json | None = None
    deliveries: list[Json] = field(default_factory=list)  # one for each look at the attempt; the last one stays
    learners: list[Json] = field(default_factory=list)
    begun: list[Json] = field(default_factory=list)  # who has opened the activity and handed nothing in
    named_by_link: bool = False
    calls: list[Call] = field(default_factory=list)
    failures: dict[str, Json] = field(default_factory=dict)  # by call name: the problem to answer instead
    posted: list[tuple[str, str]] = field(default_factory=list)  # the fields of the deep linking form
    answer_delay_seconds: float = 0.0

    token = "launch-7.a-secret-that-no-url-keeps"

    def plays_for(self, *privileges: str, **more: object) -> None:
        self.session = {
            "launch_id": "launch-7",
            "message_type": "LtiResourceLinkRequest",
            "issuer": "https://lms.example.edu",
            "client_id": "client-1",
            "deployment_id": "deployment-1",
            "user": {"id": "user-1", "name": "Ada Beck"},
            "roles": [f"{ROLES}membership#Learner"],
            "privileges": list(privileges),
            "rights": rights_of(privileges),
            "context": {"id": "course-1", "title": "Europe 101", "type": []},
            "custom": {},
            "services": {},
            "locale": "en-GB",
            **more,
        }

    def landing(self, page: str) -> str:
        """The address of a page that does what an accepted launch does, then goes to `page`."""
        return f"{self.url}/launched?landing=/app/{page}"

    def count(self, name: str) -> int:
        return sum(call.name == name for call in self.calls)

    def last(self, name: str) -> Json:
        return next(call.body for call in reversed(self.calls) if call.name == name)

    def delivered(self) -> Json:
        return self.deliveries.pop(0) if len(self.deliveries) > 1 else self.deliveries[0]


def problem(status: int, code: str, title: str, detail: str = "") -> Json:
    return {
        "type": f"about:blank#{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "support_id": "SUP-42",
    }


NOT_BOUND = problem(404, "activity_not_bound", "This link has no activity yet")
WAITING = {"state": "waiting", "sentence": "It is being sent."}
HELD_UP = {"state": "waiting", "sentence": "The platform does not answer at the moment.", "cause": "unreachable"}
SENT = {"state": "sent", "sentence": "The platform took it."}


def application(world: StandIn) -> Flask:
    """The routes that the pages know, over what the stand-in knows."""
    app = Flask("stand-in", static_folder=None)

    def answer(body: Json | None, status: int = 200) -> Response:
        kind = "application/problem+json" if status >= 400 else "application/json"
        return Response("" if body is None else json.dumps(body), status, content_type=kind)

    def failure(body: Json) -> Response:
        return answer(body, body["status"])

    def api(rule: str, method: str, handle: Callable[[], Response]) -> None:
        name = f"{method} {rule}"

        def view() -> Response:
            world.calls.append(Call(name=name, body=request.get_json(silent=True) or request.args.to_dict()))
            time.sleep(world.answer_delay_seconds)
            if request.headers.get("Authorization") != f"Bearer {world.token}":
                return failure(problem(401, "session_unknown", "Unauthorized"))
            if name in world.failures:
                return failure(world.failures[name])
            return handle()

        app.add_url_rule(rule, name, view, methods=[method])

    def summary(activity: Json) -> Json:
        if activity["kind"] == "external":
            return activity
        facts = {key: activity[key] for key in ("id", "title", "description", "kind")}
        return facts | {"score_maximum": maximum(activity), "questions": len(activity["questions"])}

    def shown(activity: Json) -> Json:
        return activity if activity["kind"] == "external" else without_answers(activity)

    def read_catalogue() -> Response:
        query, start = request.args["query"].casefold(), int(request.args.get("cursor", "0"))
        found = [activity for activity in world.activities.values() if query in activity["title"].casefold()]
        page = [summary(activity) for activity in found][start : start + int(request.args["limit"])]
        after = start + len(page)
        return answer({"activities": page, "cursor": str(after) if after < len(found) else None})

    def read_activity() -> Response:
        if world.bound is None:
            return failure(NOT_BOUND)
        if world.attempt is not None:
            world.attempt = world.attempt | {"delivery": world.delivered()}
        return answer({"activity": shown(world.activities[world.bound]), "attempt": world.attempt})

    def hand_in() -> Response:
        activity = world.activities[world.bound or ""]
        answers = request.get_json()["answers"]
        right = [one for one in activity["questions"] if one["id"] in answers and is_right(one, answers[one["id"]])]
        world.attempt = {
            "submitted_at": datetime.now(UTC).isoformat(),
            "score_given": float(sum(question["points"] for question in right)),
            "score_maximum": maximum(activity),
            "delivery": world.delivered(),
        }
        return answer({"attempt": world.attempt}, 201)

    def read_marks() -> Response:
        if world.bound is None:
            return failure(NOT_BOUND)
        return answer(delivered() | {"learners": world.learners, "begun": world.begun})

    def read_progress() -> Response:
        if world.bound is None:
            return failure(NOT_BOUND)
        shown = ("user_id", "name", "started_at", "submitted_at")
        learners = [{key: one[key] for key in shown if key in one} for one in world.learners + world.begun]
        return answer(delivered() | {"learners": learners})

    def delivered() -> Json:
        return {"activity": summary(world.activities[world.bound or ""]), "named_by_link": world.named_by_link}

    def resend() -> Response:
        users = request.get_json().get("users")
        states = ("refused",) if users is None else ("refused", "held")
        stuck = [
            one
            for one in world.learners
            if one["delivery"]["state"] in states and (users is None or one["user_id"] in users)
        ]
        for one in stuck:
            one["delivery"] = WAITING
        return answer({"resent": len(stuck)}, 202)

    def bind() -> Response:
        world.bound = request.get_json()["activity"]
        return answer(None, 204)

    api("/api/session", "GET", lambda: answer(world.session))
    api("/api/catalogue", "GET", read_catalogue)
    api("/api/activity", "GET", read_activity)
    api("/api/attempt", "POST", hand_in)
    api("/api/marks", "GET", read_marks)
    api("/api/marks/resend", "POST", resend)
    api("/api/progress", "GET", read_progress)
    api("/api/binding", "PUT", bind)
    api("/api/departure", "POST", lambda: answer({"url": f"{world.url}/laboratory?code=once"}, 201))

    @app.get("/laboratory")
    def laboratory() -> str:
        return f"<!doctype html><title>Laboratory</title><p>Came with {request.args['code']}</p>"

    @app.get("/app/<name>")
    def page(name: str) -> Response:
        path = PAGES / (name if "." in name else f"{name}.html")
        response = Response(path.read_bytes(), content_type=f"{MEDIA_TYPES[path.suffix]}; charset=utf-8")
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    @app.post("/lti/deeplink")
    def deeplink() -> str:
        world.posted = list(request.form.items(multi=True))
        return "<!doctype html><title>Returned</title><p>Returned to the course</p>"

    @app.get("/launched")
    def launched() -> str:
        script = """
            const {session, landing} = JSON.parse(document.getElementById("launch").textContent);
            const launch = session.split(".")[0];
            let carried = "";
            try { sessionStorage.setItem("lti:" + launch, session); } catch { carried = "#session=" + session; }
            location.replace(landing + "?launch=" + launch + carried);
        """
        launch = {"session": world.token, "landing": request.args["landing"]}
        carrier = f'<script type="application/json" id="launch">{json.dumps(launch)}</script>'
        return f"<!doctype html>{carrier}<script>{script}</script>"

    @app.get("/framed")
    def framed() -> str:
        """An LMS page with the tool in a frame; it obeys lti.frameResize."""
        script = """
            addEventListener("message", ({data}) => {
              if (data.subject !== "lti.frameResize") return;
              document.querySelector("iframe").style.height = data.height + "px";
            });
        """
        frame = f'<iframe src="{world.landing(request.args["page"])}" style="width: 400px; height: 150px"></iframe>'
        return f"<!doctype html><script>{script}</script>{frame}"

    return app


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """A stand-in that listens on a free port of localhost for as long as the block lasts."""
    world = StandIn(deliveries=[SENT])
    world.plays_for("candidate")
    server = make_server("localhost", 0, application(world), threaded=True, request_handler=Quiet)
    world.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
