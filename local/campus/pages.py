"""The pages that people click: platforms, courses, activities in a frame or a window, gradebook, log, faults.

Whose eyes one looks through stands in each address as `?as=KEY`; there is no cookie and nothing to sign in to.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from local.campus.campus import Campus
from local.campus.control import set_faults_of
from local.campus.faults import FOREVER, BadFaultError
from local.campus.profile import Profile
from local.campus.world import PEOPLE, Activity, Course, Person


def pages(campus: Campus) -> Blueprint:
    blueprint = Blueprint("pages", __name__)
    blueprint.add_app_template_filter(_score, "score")
    blueprint.add_app_template_filter(_pretty, "pretty")
    blueprint.app_context_processor(lambda: {"campus": campus})
    slug = f"<any({','.join(campus.platforms)}):slug>"

    def viewer(profile: Profile) -> Person:
        return PEOPLE.get(request.args.get("as", "")) or abort(redirect(url_for("pages.platform", slug=profile.slug)))

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
        person = PEOPLE.get(request.args.get("as", ""))
        return render_template("platform.html", profile=profile, person=person, people=PEOPLE.values())

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
        opened = activity_of(shown, activity_id)
        source = f"{request.path}/launch?as={person.key}"
        return render_template(
            "frame.html", profile=profile, person=person, course=shown, title=opened.title, source=source
        )

    @blueprint.get(f"/{slug}/courses/<int:course_id>/activities/<int:activity_id>/launch")
    def launch(slug: str, course_id: int, activity_id: int) -> str:
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        target = "window" if request.args.get("target") == "window" else "iframe"
        fields = campus.begin(profile, person, shown, activity_of(shown, activity_id), document_target=target)
        return render_template("post.html", action=campus.tool.login_url, fields=fields, title="Opening the tool")

    @blueprint.get(f"/{slug}/courses/<int:course_id>/add")
    def add(slug: str, course_id: int) -> str:
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        source = f"/{slug}/courses/{course_id}/pick?as={person.key}"
        title = "Add activities from the tool"
        return render_template("frame.html", profile=profile, person=person, course=shown, title=title, source=source)

    @blueprint.get(f"/{slug}/courses/<int:course_id>/pick")
    def pick(slug: str, course_id: int) -> Response | str:
        profile = campus.platforms[slug]
        person, shown = viewer(profile), course_of(profile, course_id)
        if not profile.may_add_activities(person):
            text = f"{person.name} may not add activities to this course."
            return make_response(
                render_template("refused.html", profile=profile, title="Not for this person", text=text), 403
            )
        fields = campus.begin(profile, person, shown, None)
        return render_template("post.html", action=campus.tool.login_url, fields=fields, title="Opening the picker")

    @blueprint.get("/log")
    def log() -> str:
        chosen = request.args.get("platform")
        profile = campus.platforms.get(chosen or "")
        entries = campus.journal.entries(profile.slug if profile else None)
        return render_template("log.html", entries=entries[::-1], profile=profile)

    @blueprint.get("/faults")
    def faults() -> str:
        return render_template("faults.html", forever=FOREVER)

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
        **{name: name in form for name in ("token_down", "jwks_down", "hold_scores")},
        "slow_seconds": float(form.get("slow_seconds") or 0),
        "rate_limited": {
            "count": int(form.get("rate_limited") or 0),
            "retry_after": int(form.get("retry_after") or 1),
        },
        "server_error": {"count": int(form.get("server_error") or 0)},
    }


def _score(value: float) -> str:
    """A mark for reading: two decimals at most, none that are zero."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _pretty(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
