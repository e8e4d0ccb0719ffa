"""Campus as a whole: its platforms, the tool they all know, one log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from local.campus.journal import TO_TOOL, Journal
from local.campus.profile import Profile
from local.campus.profiles import PROFILES
from local.campus.registration import Placement
from local.campus.tool import Tool
from local.campus.world import Activity, Course, Oddities, Person, Review


@dataclass(frozen=True, kw_only=True)
class Initiation:
    """A login initiation, for the browser to bring to the tool."""

    url: str
    method: str
    fields: Mapping[str, str]


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
        self.tool = Tool.at(tool_url.rstrip("/"))
        self.journal = Journal()
        self.platforms = {made.slug: made(url, self.tool, self.journal, now) for made in profiles}

    def begin(
        self,
        profile: Profile,
        person: Person,
        course: Course,
        activity: Activity | None,
        *,
        client_id: str | None = None,
        document_target: str = "iframe",
        placement: Placement | None = None,
        review: Review | None = None,
        oddities: Oddities | None = None,
    ) -> Initiation:
        """A fresh login initiation, noted in the log. No activity: content selection, or the placement's own.

        Without a client it is the activity's own, or the one in use.
        """
        with profile.lock, profile.speaking_with(client_id or profile.client_of(activity)) as registration:
            fields = profile.begin(
                person,
                course,
                activity,
                document_target=document_target,
                placement=placement,
                review=review,
                oddities=oddities,
            )
        what = activity.title if activity else "the picker"
        if placement:
            what = f"{placement.label} ({placement.name})"
        if review:
            what = f"{review.learner.name}'s work on {review.line_item.label}"
        self.journal.write(
            profile.slug,
            TO_TOOL,
            "login initiation",
            f"{person.name} opens {what} in {course.title}",
            details={profile.login_method: registration.tool.login_url, "fields": fields},
        )
        return Initiation(url=registration.tool.login_url, method=profile.login_method, fields=fields)

    def origins(self) -> set[str]:
        """Where the registered tools are."""
        return {
            origin
            for profile in self.platforms.values()
            for registration in list(profile.registrations.values())
            for origin in registration.tool.origins
        }

    def reset(self) -> None:
        """The first day again: marks, activities, later registrations, faults and the log are gone; keys stay."""
        for profile in self.platforms.values():
            profile.reset()
            profile.faults.clear()
        self.journal.clear()
