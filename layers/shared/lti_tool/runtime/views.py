"""What `/api/...` shows: our types as the JSON that the pages read."""

from __future__ import annotations

from typing import Any

from lti_tool.domain.launch import AnyLaunch, DeepLinkingLaunch, ResourceLinkLaunch, SubmissionReviewLaunch, landing_of
from lti_tool.domain.roles import Right
from lti_tool.domain.score import OutboxEntry, ScoreState, iso
from lti_tool.domain.session import Session
from lti_tool.use_cases.activity import Progress, Work

CAUSES = {
    "line_item_gone": "The gradebook column is not there any more.",
    "not_allowed": "The learning platform does not let this tool write marks.",
    "platform_disabled": "The tool's registration with the learning platform is switched off.",
    "scope_refused": "The learning platform does not let this tool write marks.",
    "token_refused": "The learning platform does not recognise this tool's key.",
    "unknown_platform": "The learning platform is not registered with this tool any more.",
    "user_not_gradable": "The learning platform takes no mark for this person in this course.",
}
"""Why a score was refused, in words. Other causes have one sentence together."""


def session_view(session: Session) -> dict[str, Any]:
    """The launch as the tool understood it; what the platform did not send is left out."""
    launch = session.launch
    view: dict[str, Any] = {
        "launch_id": session.launch_id,
        "message_type": launch.message_type,
        "issuer": launch.issuer,
        "client_id": launch.client_id,
        "deployment_id": launch.deployment_id,
        "user": _given(id=launch.user.id, name=launch.user.name, email=launch.user.email),
        "roles": list(launch.roles),
        "privileges": sorted(launch.privileges),
        "rights": [right.value for right in Right if launch.may(right)],
        "landing": landing_of(launch),
        "custom": dict(launch.custom),
        "services": _services(launch),
        "locale": launch.locale,
    }
    if launch.context is not None:
        context = launch.context
        view["context"] = _given(id=context.id, label=context.label, title=context.title, type=list(context.types))
    if isinstance(launch, ResourceLinkLaunch):
        link = launch.resource_link
        view["resource_link"] = _given(id=link.id, title=link.title, description=link.description)
    if isinstance(launch, SubmissionReviewLaunch):
        view["for_user"] = {"id": launch.learner}
    if isinstance(launch, DeepLinkingLaunch):
        settings = launch.settings
        view["deep_linking"] = {
            "accept_types": list(settings.accept_types),
            "accept_multiple": settings.accept_multiple,
            "accept_lineitem": settings.accept_line_item,
            **_given(title=settings.title, text=settings.text),
        }
    view |= _given(rule=launch.rule)
    view |= _given(line_item=launch.grades and launch.grades.line_item, return_url=launch.return_url)
    return view


def _services(launch: AnyLaunch) -> dict[str, Any]:
    services: dict[str, Any] = {}
    if launch.grades is not None:
        grades = launch.grades
        services["ags"] = _given(scope=list(grades.scopes), lineitems=grades.line_items, lineitem=grades.line_item)
    if launch.memberships_url is not None:
        services["nrps"] = {"context_memberships_url": launch.memberships_url}
    return services


def work_view(work: Work) -> dict[str, Any]:
    attempt = work.attempt
    return {
        "submitted_at": iso(attempt.submitted_at),
        "score_given": attempt.score_given,
        "score_maximum": attempt.score_maximum,
        "delivery": _delivery(work.delivery),
    }


def learner_view(work: Work) -> dict[str, Any]:
    return {**_given(user_id=work.attempt.user_id, name=work.attempt.name), **work_view(work)}


def score_view(entry: OutboxEntry) -> dict[str, Any]:
    """A score's way, for whoever sent it; who it is about and what it says stay out."""
    return {
        "id": entry.score.key.id,
        **_delivery(entry),
        "attempts": entry.attempts,
        "timestamp": iso(entry.score.timestamp),
        **_given(
            next_try_at=entry.next_try_at and iso(entry.next_try_at),
            sent_timestamp=entry.sent_timestamp and iso(entry.sent_timestamp),
        ),
    }


def progress_view(progress: Progress) -> dict[str, Any]:
    started, submitted = progress.started_at, progress.submitted_at
    return {
        "user_id": progress.user_id,
        **_given(name=progress.name),
        **_given(started_at=started and iso(started), submitted_at=submitted and iso(submitted)),
    }


def _delivery(entry: OutboxEntry | None) -> dict[str, Any]:
    if entry is None:
        return {"state": "not_sent", "sentence": "This mark stays here: the link has no column in the gradebook."}
    match entry.state:
        case ScoreState.SENT:
            return {"state": "sent", "sentence": "The mark is in the gradebook."}
        case ScoreState.REFUSED:
            cause = CAUSES.get(entry.cause or "", "The learning platform refused the mark.")
            return {"state": "refused", "sentence": cause, "cause": entry.cause}
        case ScoreState.WAITING if entry.cause is not None:
            sentence = (
                "The learning platform does not take the mark at the moment. It is kept and sent again by itself."
            )
            return {"state": "waiting", "sentence": sentence, "cause": entry.cause}
        case ScoreState.WAITING:
            return {"state": "waiting", "sentence": "The mark is on its way to the gradebook."}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
