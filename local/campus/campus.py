"""Campus as a whole: its platforms, the tool they all know, one log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from local.campus.journal import TO_TOOL, Journal
from local.campus.profile import Profile
from local.campus.profiles import PROFILES
from local.campus.tool import Tool
from local.campus.world import Activity, Course, Oddities, Person, Review


class Campus:
    """Several platforms under one roof. They share nothing but the log and the tool."""

    def __init__(
        self,
        url: str,
        tool_url: str,
        *,
        profiles: Sequence[type[Profile]] = PROFILES,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self.tool = Tool(url=tool_url.rstrip("/"))
        self.journal = Journal()
        self.platforms = {made.slug: made(url, self.tool, self.journal, now) for made in profiles}

    def begin(
        self,
        profile: Profile,
        person: Person,
        course: Course,
        activity: Activity | None,
        *,
        document_target: str = "iframe",
        review: Review | None = None,
        oddities: Oddities | None = None,
    ) -> dict[str, str]:
        """The fields of a fresh login initiation, noted in the log. No activity: content selection."""
        with profile.lock:
            fields = profile.begin(
                person, course, activity, document_target=document_target, review=review, oddities=oddities
            )
        what = activity.title if activity else "the picker"
        if review:
            what = f"{review.learner.name}'s work on {review.line_item.label}"
        self.journal.write(
            profile.slug,
            TO_TOOL,
            "login initiation",
            f"{person.name} opens {what} in {course.title}",
            details={"POST": self.tool.login_url, "fields": fields},
        )
        return fields

    def reset(self) -> None:
        """The first day again: marks, activities, faults and the log are gone; keys, ids and registrations stay."""
        for profile in self.platforms.values():
            profile.reset()
            profile.faults.clear()
            profile.tool_keys.forget()
        self.journal.clear()
