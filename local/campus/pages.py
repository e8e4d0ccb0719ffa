"""The pages that people click: platforms, courses, activities in a frame or a window, gradebook, log, faults.

Whose eyes one looks through stands in each address as `?as=KEY`; there is no cookie and nothing to sign in to.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from local.campus import vocabulary as v
from local.campus.campus import Campus, Initiation
from local.campus.control import set_faults_of
from local.campus.faults import (
    CHECKED,
    DROPPABLE,
    ERRORS,
    FOREVER,
    REGISTRATION_FAULTS,
    SERVICE_REFUSALS,
    WRONG,
    BadFaultError,
)
from local.campus.profile import Profile
from local.campus.registration import web_address
from local.campus.tool import origin_of
from local.campus.world import Activity, Course, Person, Review, Role

_MARK = re.compile(r"[0-9]{1,6}([.][0-9]{1,4})?")


@dataclass(frozen=True, kw_only=True)
class Embed:
    """The tool in a frame."""

    title: str
    source: str
    name: str = "tool"


def pages(campus: Campus) -> Blueprint:
    blueprint = Blueprint("pages", __name__)
    blueprint.add_app_template_filter(_score, "score")
    blueprint.add_app_template_filter(_pretty, "pretty")
    blueprint.app_context_processor(lambda: {"campus": campus})
    slug = f"<any({','.join(campus.platforms)}):slug>"

    def viewer(profile: Profile, parameter: str = "as") -> Person:
        known = profile.people().get(request.args.get(parameter, ""))
        return known or abort(redirect(url_for("pages.platform", slug=profile.slug)))

    def course_of(profile: Profile, course_id: int) -> Course:
        return profile.world.courses.get(course_id) or abort(404)

    def activity_of(course: Course, activity_id: int) -> Activity:
        return course.activities.get(activity_id) or abort(404)

    @blueprint.get("/")
    def home() -> str:
        return render_template("home.html")

    @blueprint.get(f"/{slug}/")
    def platform(slug: str) -> str:
        profile = campus.platforms[slug]
        people = profile.people()
        person = people.get(request.args.get("as", ""))
        manages = person is not None and person.role is Role.ADMIN
        return render_template("platform.html", profile=profile, person=person, people=people.values(), manages=manages)

    def administrator(profile: Profile) -> Person:
        person = viewer(profile)
        return person if person.role is Role.ADMIN else abort(403)

    @blueprint.get(f"/{slug}/register")
    def register(slug: str) -> str:
        """A page of the platform around a page of the tool, which registers itself meanwhile."""
        profile = campus.platforms[slug]
        person, url = administrator(profile), request.args.get("url", "").strip()
        if not web_address(url):
            abort(400)
        g.more_origins = {origin_of(url)}
        opened = profile.registrar.opened(url, profile.registrar.introduce())
        return render_template("register.html", profile=profile, person=person, opened=opened)

    @blueprint.post(f"/{slug}/registrations/<client_id>")
    def registration(slug: str, client_id: str) -> Response:
        profile = campus.platforms[slug]
        person = administrator(profile)
        with profile.lock:
            chosen = profile.registrations.get(client_id) or abort(404)
            if request.form.get("verb") == "activate":
                profile.activate(chosen.client_id)
            elif chosen.is_active:
                profile.in_use = chosen.client_id
        return redirect(f"/{slug}/?as={person.key}", 303)

    @blueprint.get(f"/{slug}/courses/<int:course_id>")
    def course(slug: str, course_id: int) -> str:
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        with profile.lock:
            learners = profile.learners_of(shown)
            return render_template(
                "course.html",
                profile=profile,
                person=person,
                course=shown,
                rows=learners if profile.may_see_grades(person) else [p for p in learners if p == person],
                members=profile.people_of(shown),
                notices=_notices(),
            )

    @blueprint.get(f"/{slug}/courses/<int:course_id>/activities/<int:activity_id>")
    def activity(slug: str, course_id: int, activity_id: int) -> str:
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        title = activity_of(shown, activity_id).title
        embeds = [Embed(title=title, source=f"{request.path}/launch?as={person.key}")]
        return render_template("frame.html", profile=profile, person=person, course=shown, title=title, embeds=embeds)

    @blueprint.get(f"/{slug}/courses/<int:course_id>/two")
    def two(slug: str, course_id: int) -> str:
        """Two people's launches on one page, which no LMS would show, but a browser may have to keep apart."""
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        chosen = request.args.get("activity", default=min(shown.activities), type=int)
        title = activity_of(shown, chosen).title
        embeds = [
            Embed(
                title=f"{title}, {someone.name}",
                source=f"/{slug}/courses/{course_id}/activities/{chosen}/launch?as={someone.key}",
                name=f"tool-{someone.key}",
            )
            for someone in (person, viewer(profile, "and"))
        ]
        return render_template("frame.html", profile=profile, person=person, course=shown, title=title, embeds=embeds)

    @blueprint.get(f"/{slug}/courses/<int:course_id>/activities/<int:activity_id>/launch")
    def launch(slug: str, course_id: int, activity_id: int) -> Response | str:
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        target = "window" if request.args.get("target") == "window" else "iframe"
        begun = campus.begin(profile, person, shown, activity_of(shown, activity_id), document_target=target)
        return _brought(begun, "Opening the tool")

    def reviewing(profile: Profile, course_id: int, item_id: int, learner: str) -> tuple[Person, Course, Review]:
        person, shown = viewer(profile), course_of(profile, course_id)
        if not profile.may_see_grades(person):
            abort(403)
        item = shown.line_items.get(item_id) or abort(404)
        return person, shown, Review(learner=profile.people().get(learner) or abort(404), line_item=item)

    @blueprint.get(f"/{slug}/courses/<int:course_id>/review/<int:item_id>/<learner>")
    def review(slug: str, course_id: int, item_id: int, learner: str) -> str:
        profile = campus.platforms[slug]
        person, shown, opened = reviewing(profile, course_id, item_id, learner)
        title = f"{opened.line_item.label}: {opened.learner.name}"
        embeds = [Embed(title=title, source=f"{request.path}/launch?as={person.key}")]
        return render_template("frame.html", profile=profile, person=person, course=shown, title=title, embeds=embeds)

    @blueprint.get(f"/{slug}/courses/<int:course_id>/review/<int:item_id>/<learner>/launch")
    def launch_review(slug: str, course_id: int, item_id: int, learner: str) -> Response | str:
        profile = campus.platforms[slug]
        person, shown, opened = reviewing(profile, course_id, item_id, learner)
        linked = activity_of(shown, opened.line_item.activity_id or 0)
        return _brought(campus.begin(profile, person, shown, linked, review=opened), "Opening the tool")

    @blueprint.post(f"/{slug}/courses/<int:course_id>/grades/<int:item_id>/<learner>")
    def grade(slug: str, course_id: int, item_id: int, learner: str) -> Response:
        """A teacher's own mark in place of the tool's; an empty one takes it out."""
        profile = campus.platforms[slug]
        person, _, graded = reviewing(profile, course_id, item_id, learner)
        text = request.form.get("score", "").strip()
        if text and not _MARK.fullmatch(text):
            abort(400)
        with profile.lock:
            graded.line_item.cell(graded.learner).score = float(text) if text else None
        return redirect(f"{url_for('pages.course', slug=slug, course_id=course_id)}?as={person.key}", 303)

    @blueprint.get(f"/{slug}/<any(post_message_forwarding):name>")
    def storage(slug: str, name: str) -> str:
        """The frame that keeps data for the tool, beside the tool's own on every page that can open it."""
        if name != campus.platforms[slug].storage_target():
            abort(404)
        return render_template("storage.html", profile=campus.platforms[slug])

    @blueprint.get(f"/{slug}/courses/<int:course_id>/add")
    def add(slug: str, course_id: int) -> str:
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        source = f"/{slug}/courses/{course_id}/pick?as={person.key}"
        title = "Add activities from the tool"
        embeds = [Embed(title=title, source=source)]
        return render_template("frame.html", profile=profile, person=person, course=shown, title=title, embeds=embeds)

    @blueprint.get(f"/{slug}/courses/<int:course_id>/pick")
    def pick(slug: str, course_id: int) -> Response | str:
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        if not profile.may_add_activities(person):
            text = f"{person.name} may not add activities to this course."
            return make_response(
                render_template("refused.html", profile=profile, title="Not for this person", text=text), 403
            )
        if not profile.registrations[profile.in_use].speaks(v.DEEP_LINKING):
            text = "The tool in use did not register for deep linking."
            return make_response(
                render_template("refused.html", profile=profile, title="Nothing to choose from", text=text), 404
            )
        return _brought(campus.begin(profile, person, shown, None), "Opening the picker")

    @blueprint.get("/log")
    def log() -> str:
        chosen = request.args.get("platform")
        profile = campus.platforms.get(chosen or "")
        entries = campus.journal.entries(profile.slug if profile else None)
        return render_template("log.html", entries=entries[::-1], profile=profile)

    @blueprint.get("/faults")
    def faults() -> str:
        return render_template(
            "faults.html",
            forever=FOREVER,
            wrong=WRONG,
            errors=ERRORS,
            checked=CHECKED,
            droppable=DROPPABLE,
            registering=REGISTRATION_FAULTS,
            refusals=SERVICE_REFUSALS,
        )

    @blueprint.post("/faults")
    def set_faults() -> Response:
        profile = campus.platforms.get(request.form.get("platform", "")) or abort(400)
        try:
            set_faults_of(profile, _wanted_faults())
        except (BadFaultError, ValueError):
            abort(400)
        return redirect(url_for("pages.faults"), 303)

    @blueprint.post("/reset")
    def reset() -> Response:
        campus.reset()
        return redirect(url_for("pages.home"), 303)

    return blueprint


def _brought(begun: Initiation, title: str) -> Response | str:
    """The login initiation on its way through the browser."""
    if begun.method == "GET":
        return redirect(f"{begun.url}{'&' if '?' in begun.url else '?'}{urlencode(begun.fields)}")
    return render_template("post.html", action=begun.url, fields=begun.fields, title=title)


def _notices() -> list[str]:
    """What there is to tell on the course page: from Campus, or from the tool by the return URL."""
    given = request.args
    added = given.get("added", "")
    notices = [f"{added} {'activity' if added == '1' else 'activities'} added"] if added.isdecimal() else []
    return notices + [text for name in ("lti_msg", "lti_errormsg") if (text := given.get(name))]


def _wanted_faults() -> dict[str, Any]:
    form = request.form
    match form.get("verb"):
        case "clear":
            return {"clear": True}
        case "rotate":
            return {"rotate_keys": True}
    return {
        **{name: name in form for name in CHECKED},
        **{name: float(form.get(name) or 0) for name in ("slow_seconds", "slow_jwks_seconds")},
        "token_audience": form.get("token_audience") or None,
        "refused_scopes": form.get("refused_scopes", "").split(),
        "clock_skew_seconds": int(form.get("platform_skew_seconds") or 0),
        "registration": {
            **{name: name in form for name in REGISTRATION_FAULTS},
            "slow_seconds": float(form.get("registration_slow_seconds") or 0),
            "refuses": form.get("refuses") or None,
        },
        "drop_connections": {name: f"drop_{name}" in form for name in DROPPABLE},
        "launch": {
            "clock_skew_seconds": int(form.get("clock_skew_seconds") or 0),
            "wrong": form.get("wrong") or None,
            "expired": "expired" in form,
            "unknown_kid": "unknown_kid" in form,
            "missing": form.get("missing", "").replace(",", " ").split(),
            "error": form.get("error") or None,
            **({"count": int(count)} if (count := form.get("launches")) else {}),
        },
        "rate_limited": {
            "count": int(form.get("rate_limited") or 0),
            "retry_after": int(form.get("retry_after") or 1),
        },
        "server_error": {"count": int(form.get("server_error") or 0)},
        "services": {"refuses": refuses, **({"count": int(count)} if (count := form.get("requests")) else {})}
        if (refuses := form.get("services"))
        else None,
    }


def _score(value: float) -> str:
    """A mark for reading: two decimals at most, none that are zero."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _pretty(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
