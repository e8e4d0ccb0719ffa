"""What `/api/...` shows: our types as the JSON that the pages read."""

from __future__ import annotations

from typing import Any

from lti_tool.domain.activity import Activity
from lti_tool.domain.launch import AnyLaunch, DeepLinkingLaunch, ResourceLinkLaunch, SubmissionReviewLaunch, landing_of
from lti_tool.domain.roles import Right
from lti_tool.domain.score import OutboxEntry, ScoreState, iso
from lti_tool.domain.session import Session
from lti_tool.use_cases.activity import Progress, Work, named_by_link

CAUSES = {
    "line_item_gone": "The gradebook column is not there any more. It can be sent again once the column is back.",
    "column_locked": "The gradebook column takes no marks now. It can be sent again once a teacher has opened it.",
    "course_ended": "The course is over or was removed. Its gradebook takes a mark only once the course is open again.",
    "user_not_gradable": "The learning platform takes no mark for this person in this course."
    " Only who is enrolled there as an active student can have one.",
    "no_attempts_left": "The learning platform allows no further attempt. A teacher can allow one there.",
    "above_maximum": "The learning platform takes no mark above the maximum. A teacher can enter it there by hand.",
    "not_allowed": "The learning platform does not let this tool write marks."
    " Its administrator can allow the tool to send grades.",
    "scope_refused": "The learning platform does not let this tool write marks."
    " Its administrator can allow the tool to send grades.",
    "result_scope_refused": "The learning platform does not let this tool read marks,"
    " so it cannot see whether a teacher changed this one. Its administrator can allow that.",
    "token_refused": "The learning platform does not recognise this tool's key."
    " Its administrator can compare the tool's key set address.",
    "key_not_known_yet": "The learning platform does not recognise this tool's key at the moment."
    " The mark is kept and sent again by itself."
    " If this lasts, its administrator can compare the tool's key set address.",
    "platform_disabled": "The tool's registration with the learning platform is switched off."
    " Whoever runs the tool can switch it on.",
    "unknown_platform": "The learning platform is not registered with this tool any more."
    " Whoever runs the tool can register it again.",
    "forbidden_address": "The gradebook's address is not one that the tool may call."
    " The administrator of the learning platform can put it right.",
    "answer_unreadable": "The learning platform answered with something that the tool cannot read."
    " Its administrator can look into that.",
    "line_item_unknown": "The tool does not know the gradebook of this link yet."
    " It can be sent again once a teacher has opened the link.",
    "changed_in_lms": "The mark was changed in the gradebook by hand, so it is left as it is."
    " A teacher decides which one counts.",
    "preview_user": "This mark stays here: it belongs to a preview of the activity.",
    "not_final_yet": "The mark is not final yet, and this learning platform keeps final marks only."
    " It is sent as soon as it is final.",
    "rate_limited": "The learning platform is busy and asked the tool to wait. The mark is kept and sent by itself.",
}
"""Why a score is where it is, and what comes next. Other causes have one sentence together."""


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
        "delivery": _way(work),
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


def delivery_view(activity: Activity, launch: AnyLaunch) -> dict[str, Any]:
    """What the link opens. `named_by_link`: what is chosen here would not count."""
    return {"activity": activity.summary(), "named_by_link": named_by_link(launch) is not None}


def progress_view(progress: Progress) -> dict[str, Any]:
    started, submitted = progress.started_at, progress.submitted_at
    return {
        "user_id": progress.user_id,
        **_given(name=progress.name),
        **_given(started_at=started and iso(started), submitted_at=submitted and iso(submitted)),
    }


def _way(work: Work) -> dict[str, Any]:
    """Where a mark is, how often it was tried, since when in vain, and when next."""
    entry = work.delivery
    if entry is None and work.attempt.is_preview:
        return {"state": "not_sent", "sentence": CAUSES["preview_user"], "cause": "preview_user"}
    if entry is None:
        return _delivery(None)
    if work.is_superseded:
        return {"state": "superseded", "sentence": "A newer mark from elsewhere took this one's place."}
    failing = entry.cause is not None and entry.state is ScoreState.WAITING
    moments = {
        "next_try_at": entry.next_try_at if failing else None,
        "failing_since": entry.failing_since if failing else None,
        "refused_at": entry.refused_at if entry.state is ScoreState.REFUSED else None,
    }
    tried = {"attempts": entry.attempts} if entry.attempts else {}
    return {**_delivery(entry), **tried, **{name: iso(moment) for name, moment in moments.items() if moment}}


def _delivery(entry: OutboxEntry | None) -> dict[str, Any]:
    if entry is None:
        return {"state": "not_sent", "sentence": "This mark stays here: the link has no column in the gradebook."}
    match entry.state:
        case ScoreState.SENT:
            return {"state": "sent", "sentence": "The mark is in the gradebook."}
        case ScoreState.REFUSED:
            cause = CAUSES.get(entry.cause or "", "The learning platform refused the mark.")
            return {"state": "refused", "sentence": cause, "cause": entry.cause}
        case ScoreState.HELD | ScoreState.NOT_SENT:
            why = CAUSES.get(entry.cause or "", "This mark is not sent.")
            return {"state": entry.state.value, "sentence": why, "cause": entry.cause}
        case ScoreState.WAITING if (why_later := entry.cause) is not None and why_later in CAUSES:
            return {"state": "waiting", "sentence": CAUSES[why_later], "cause": why_later}
        case ScoreState.WAITING if entry.cause is not None:
            sentence = (
                "The learning platform does not take the mark at the moment. It is kept and sent again by itself."
            )
            return {"state": "waiting", "sentence": sentence, "cause": entry.cause}
        case ScoreState.WAITING:
            return {"state": "waiting", "sentence": "The mark is on its way to the gradebook."}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
