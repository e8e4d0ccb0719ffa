"""GET /app/...: the pages; /api/...: what they call, with the session token as bearer."""

from collections.abc import Callable
from pathlib import Path

from lti_tool.domain.activity import found_in, parse_answers
from lti_tool.domain.errors import InvalidRequestError, NotFoundError, NotPermittedError, SessionEndedError
from lti_tool.domain.roles import Right
from lti_tool.domain.session import Session, SessionToken
from lti_tool.runtime import http, static, views, wiring
from lti_tool.use_cases.lineitem import note_column

PAGES = static.Pages(Path(__file__).parent / "pages")
LONGEST_LIST = 50
MOST_USERS = 10_000


def session(_: http.Request, session: Session) -> http.Response:
    return http.as_json(views.session_view(session))


def catalogue(request: http.Request, session: Session) -> http.Response:
    if not session.launch.may(Right.CHOOSE):
        raise NotPermittedError
    query = request.parameters()
    limit, cursor = query.optional("limit") or "20", query.optional("cursor") or "0"
    if not (limit.isdecimal() and cursor.isdecimal() and len(limit) < 9 and len(cursor) < 9 and int(limit) > 0):
        raise InvalidRequestError
    found = found_in(wiring.catalogue().all(), query.optional("query") or "")
    start, end = int(cursor), int(cursor) + min(int(limit), LONGEST_LIST)
    return http.as_json(
        {
            "activities": [activity.summary() for activity in found[start:end]],
            "cursor": str(end) if end < len(found) else None,
        }
    )


def activity(_: http.Request, session: Session) -> http.Response:
    desk = wiring.activity_desk()
    opened = desk.opened(session.launch)
    work = desk.own_work(session.launch)
    if work is None:
        desk.start(session.launch)
    return http.as_json({"activity": opened.shown(), "attempt": views.work_view(work) if work else None})


def attempt(request: http.Request, session: Session) -> http.Response:
    document = request.json()
    answers = parse_answers(document.get("answers") if isinstance(document, dict) else None)
    work = wiring.activity_desk().hand_in(session.launch, answers)
    return http.as_json({"attempt": views.work_view(work)}, status=201)


def review(_: http.Request, session: Session) -> http.Response:
    desk = wiring.activity_desk()
    work = desk.reviewed_work(session.launch)
    learner = {**views.learner_view(work), "answers": work.attempt.answers} if work else None
    return http.as_json({"activity": desk.opened(session.launch).shown(), "learner": learner})


def progress(_: http.Request, session: Session) -> http.Response:
    desk = wiring.activity_desk()
    learners = [views.progress_view(progress) for progress in desk.progress(session.launch)]
    return http.as_json({**views.delivery_view(desk.summarised(session.launch), session.launch), "learners": learners})


def marks(_: http.Request, session: Session) -> http.Response:
    desk = wiring.activity_desk()
    view = {
        **views.delivery_view(desk.summarised(session.launch), session.launch),
        "learners": [views.learner_view(work) for work in desk.all_work(session.launch)],
    }
    if session.launch.may(Right.MONITOR):
        begun = (progress for progress in desk.progress(session.launch) if progress.submitted_at is None)
        view["begun"] = [views.progress_view(progress) for progress in begun]
    note_column(session.launch, wiring.link_columns())
    return http.as_json(view)


def resending(request: http.Request, session: Session) -> http.Response:
    """Send marks of this link once more: those of `users`, or all that the platform did not take."""
    document = request.json()
    users = document.get("users") if isinstance(document, dict) else []
    if users is not None and not (
        isinstance(users, list) and 0 < len(users) <= MOST_USERS and all(isinstance(user, str) for user in users)
    ):
        raise InvalidRequestError
    resent = wiring.activity_desk().resend(session.launch, None if users is None else frozenset(users))
    return http.as_json({"resent": resent}, status=202)


def binding(request: http.Request, session: Session) -> http.Response:
    document = request.json()
    chosen = document.get("activity") if isinstance(document, dict) else None
    if not isinstance(chosen, str):
        raise InvalidRequestError
    wiring.activity_desk().bind(session.launch, chosen)
    return http.Response(status=204)


def departure(_: http.Request, session: Session) -> http.Response:
    url = wiring.departure().depart(session)
    note_column(session.launch, wiring.link_columns())
    return http.as_json({"url": url}, status=201)


CALLS: dict[str, dict[str, Callable[[http.Request, Session], http.Response]]] = {
    "/api/session": {"GET": session},
    "/api/catalogue": {"GET": catalogue},
    "/api/activity": {"GET": activity},
    "/api/attempt": {"POST": attempt},
    "/api/progress": {"GET": progress},
    "/api/marks": {"GET": marks},
    "/api/marks/resend": {"POST": resending},
    "/api/review": {"GET": review},
    "/api/binding": {"PUT": binding},
    "/api/departure": {"POST": departure},
}


@http.endpoint("console", prepare=wiring.activity_desk)
def lambda_handler(request: http.Request) -> http.Response:
    if request.path.startswith("/app/"):
        request.require_method("GET")
        return PAGES.answer(request)
    calls = CALLS.get(request.path)
    if calls is None:
        raise NotFoundError
    request.require_method(*calls)
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise SessionEndedError
    opened = wiring.session_guard().open(SessionToken.parse(bearer.strip()))
    return calls["GET" if request.method == "HEAD" else request.method](request, opened)
