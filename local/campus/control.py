"""The control API: what tests and the local runner ask of Campus, in JSON. Its contract stands in `local.campus`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import requests as requests_library
from flask import Blueprint, Response, jsonify, request

from local.campus import vocabulary as v
from local.campus.campus import Campus, Initiation
from local.campus.canvas_configuration import BadConfigurationError, placements_of
from local.campus.faults import BadFaultError
from local.campus.journal import TO_TOOL
from local.campus.profile import NewActivity, NewLineItem, Profile, is_number, number
from local.campus.profiles.brightspace import SECURITY_SETTINGS, Brightspace
from local.campus.profiles.canvas import Canvas
from local.campus.registration import PERSONAL, Registration, web_address
from local.campus.world import PEOPLE, Activity, Course, Oddities, Person, Review

_ALL = "all"  # every platform at once


class BadRequestError(Exception):
    """A control request that makes no sense; the text says why."""


def control(campus: Campus) -> Blueprint:
    blueprint = Blueprint("control", __name__, url_prefix="/control")

    @blueprint.errorhandler(BadRequestError)
    def bad_request(error: BadRequestError) -> tuple[Response, int]:
        return jsonify({"error": str(error)}), 400

    def profile_called(slug: str) -> Profile:
        profile = campus.platforms.get(slug)
        if profile is None:
            raise BadRequestError(f"no such platform: {slug}")
        return profile

    @blueprint.get("/platforms")
    def platforms() -> Response:
        return jsonify([_platform(profile) for profile in campus.platforms.values()])

    @blueprint.get("/log")
    def log() -> Response:
        return jsonify({"entries": campus.journal.as_json()})

    @blueprint.post("/reset")
    def reset() -> tuple[str, int]:
        campus.reset()
        return "", 204

    @blueprint.get("/faults")
    def show_faults() -> Response:
        return jsonify(_faults(campus))

    @blueprint.post("/faults")
    def set_faults() -> Response:
        body = _body()
        slug = body.pop("platform", _ALL)
        chosen = list(campus.platforms.values()) if slug == _ALL else [profile_called(slug)]
        try:
            for profile in chosen:
                set_faults_of(profile, dict(body))
        except BadFaultError as error:
            raise BadRequestError(str(error)) from error
        return jsonify(_faults(campus))

    @blueprint.get("/<slug>/courses")
    def courses(slug: str) -> Response:
        profile = profile_called(slug)
        with profile.lock:
            return jsonify({"courses": [_course(profile, course) for course in profile.world.courses.values()]})

    @blueprint.get("/<slug>/gradebook")
    def gradebook(slug: str) -> Response:
        profile = profile_called(slug)
        with profile.lock:
            return jsonify({"courses": [_gradebook(profile, course) for course in profile.world.courses.values()]})

    @blueprint.post("/<slug>/courses/<int:course_id>/activities")
    def add_activity(slug: str, course_id: int) -> tuple[Response, int]:
        profile, body = profile_called(slug), _body()
        maximum = body.get("score_maximum")
        if maximum is not None and (not is_number(maximum) or maximum <= 0):
            raise BadRequestError("score_maximum is a number above 0")
        custom = body.get("custom") or {}
        if not isinstance(custom, dict):
            raise BadRequestError("custom is an object")
        new = NewActivity(
            title=str(body.get("title") or "Activity"),
            text=body.get("text"),
            target_link_uri=str(body.get("target_link_uri") or profile.tool.target_link_uri),
            custom=custom,
            line_item=None if maximum is None else NewLineItem(score_maximum=float(maximum)),
        )
        with profile.lock:
            course = _course_called(profile, course_id)
            return jsonify(_activity(profile, course, profile.add(course, new))), 201

    @blueprint.post("/<slug>/launch")
    def launch(slug: str) -> Response:
        profile, body = profile_called(slug), _body()
        with profile.lock:
            if "placement" in body:
                return begin_at_placement(profile, body)
            course, activity = _activity_called(profile, body.get("activity"))
            target = str(body.get("document_target") or "iframe")
            begun = campus.begin(
                profile,
                _person(profile, body, "user"),
                course,
                activity,
                client_id=_client(profile, body, activity),
                document_target=target,
                oddities=_oddities(body),
            )
        return jsonify(_initiation(begun))

    def begin_at_placement(profile: Profile, body: dict[str, Any]) -> Response:
        client_id = _client(profile, body, None)
        placements = profile.registrations[client_id].placements
        placement = placements.get(str(body["placement"]))
        if placement is None:
            raise BadRequestError(f"the tool has no placement {body['placement']}, only {', '.join(placements)}")
        course, activity = _course_called(profile, body.get("course", min(profile.world.courses))), None
        if "activity" in body:
            course, activity = _activity_called(profile, body["activity"])
        begun = campus.begin(
            profile,
            _person(profile, body, "user"),
            course,
            activity,
            client_id=client_id,
            placement=placement,
            oddities=_oddities(body),
        )
        return jsonify(_initiation(begun))

    @blueprint.post("/<slug>/deep_linking")
    def deep_linking(slug: str) -> Response:
        profile, body = profile_called(slug), _body()
        with profile.lock:
            if "placement" in body:
                return begin_at_placement(profile, body)
            course, client_id = _course_called(profile, body.get("course")), _client(profile, body, None)
            if not profile.registrations[client_id].speaks(v.DEEP_LINKING):
                raise BadRequestError(f"client {client_id} did not register for {v.DEEP_LINKING}")
            begun = campus.begin(
                profile,
                _person(profile, body, "user"),
                course,
                None,
                client_id=client_id,
                oddities=_oddities(body),
            )
        return jsonify(_initiation(begun))

    @blueprint.post("/<slug>/submission_review")
    def submission_review(slug: str) -> Response:
        profile, body = profile_called(slug), _body()
        with profile.lock:
            course, activity = _activity_called(profile, body.get("activity"))
            items = course.line_items_of(activity)
            if not items:
                raise BadRequestError(f"activity {activity.id} has no column")
            review = Review(learner=_person(profile, body, "for_user"), line_item=items[0])
            person = _person(profile, body, "user")
            begun = campus.begin(
                profile,
                person,
                course,
                activity,
                client_id=_client(profile, body, activity),
                review=review,
                oddities=_oddities(body),
            )
        return jsonify(_initiation(begun))

    @blueprint.post("/<slug>/dynamic_registration")
    def dynamic_registration(slug: str) -> Response:
        profile, body = profile_called(slug), _body()
        expires_in = body.get("expires_in_seconds")
        if expires_in is not None and not is_number(expires_in):
            raise BadRequestError("expires_in_seconds is a number")
        introduction = profile.registrar.introduce(expires_in)
        return jsonify(
            {
                "openid_configuration": profile.registrar.configuration_url(introduction),
                "registration_token": introduction.token,
            }
        )

    @blueprint.get("/<slug>/registrations")
    def registrations(slug: str) -> Response:
        profile = profile_called(slug)
        with profile.lock:
            return jsonify({"registrations": [_registration(profile, r) for r in profile.registrations.values()]})

    @blueprint.post("/<slug>/registrations/<client_id>/activate")
    def activate(slug: str, client_id: str) -> Response:
        profile = profile_called(slug)
        with profile.lock:
            profile.activate(_registration_called(profile, client_id).client_id)
            return jsonify(_registration(profile, profile.registrations[client_id]))

    @blueprint.post("/<slug>/registrations/<client_id>/security_settings")
    def security_settings(slug: str, client_id: str) -> Response:
        profile, ticked = profile_called(slug), _body()
        if not isinstance(profile, Brightspace):
            raise BadRequestError("only brightspace has security settings")
        if not set(ticked) <= SECURITY_SETTINGS or not all(isinstance(value, bool) for value in ticked.values()):
            raise BadRequestError(f"security settings are true or false: {', '.join(sorted(SECURITY_SETTINGS))}")
        with profile.lock:
            profile.set_security(_registration_called(profile, client_id).client_id, ticked)
            return jsonify(_registration(profile, profile.registrations[client_id]))

    @blueprint.post("/<slug>/configuration")
    def configure(slug: str) -> tuple[Response, int]:
        profile, body = _canvas(profile_called(slug)), _body()
        client_id = _client(profile, body, None)
        try:
            configured = profile.configure(
                _fetched_configuration(campus, profile, body.get("url")),
                client_id,
                environment=str(body.get("environment") or "prod"),
                region=str(body.get("region") or "not_configured"),
                redirect_uris=_redirect_uris(body.get("redirect_uris", [])),
            )
        except BadConfigurationError as error:
            return jsonify({"errors": error.errors}), 422
        answer = {**_registration(profile, configured), "placements": placements_of(configured)}
        return jsonify(answer), 200

    @blueprint.get("/<slug>/placements")
    def placements(slug: str) -> Response:
        profile = _canvas(profile_called(slug))
        client_id = request.args.get("client_id", profile.in_use)
        with profile.lock:
            return jsonify({"placements": placements_of(_registration_called(profile, client_id))})

    @blueprint.get("/<slug>/requests")
    def requests(slug: str) -> Response:
        profile = profile_called(slug)
        with profile.lock:
            return jsonify(dict.fromkeys(profile.paths, 0) | profile.requests)

    return blueprint


def set_faults_of(profile: Profile, wanted: dict[str, Any]) -> None:
    """Set what is named; nothing named, or `clear`, clears everything.

    Raises:
        BadFaultError
    """
    if wanted.pop("clear", False) or not wanted:
        profile.faults.clear()
    if wanted.pop("rotate_keys", False):
        profile.keys.rotate()
    if wanted:
        profile.faults.set(wanted)


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True, force=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise BadRequestError("the body is a JSON object")
    return body


def _person(profile: Profile, body: dict[str, Any], member: str) -> Person:
    key, people = body.get(member), profile.people()
    if not isinstance(key, str) or key not in people:
        raise BadRequestError(f"{member} is one of {', '.join(people)}")
    return people[key]


def _oddities(body: dict[str, Any]) -> Oddities:
    claims, header, nulls = body.get("claims") or {}, body.get("header") or {}, body.get("null_claims") or []
    if not isinstance(claims, dict) or not isinstance(header, dict):
        raise BadRequestError("claims and header are objects")
    if not isinstance(nulls, list) or not all(isinstance(name, str) for name in nulls):
        raise BadRequestError("null_claims is a list of names of claims")
    return Oddities(claims=claims, header=header, null_claims=nulls)


def _course_called(profile: Profile, course_id: Any) -> Course:
    course = profile.world.courses.get(course_id)
    if course is None:
        raise BadRequestError(f"no such course: {course_id}")
    return course


def _activity_called(profile: Profile, activity_id: Any) -> tuple[Course, Activity]:
    for course in profile.world.courses.values():
        if activity := course.activities.get(activity_id):
            return course, activity
    raise BadRequestError(f"no such activity: {activity_id}")


def _registration_called(profile: Profile, client_id: str) -> Registration:
    registration = profile.registrations.get(client_id)
    if registration is None:
        raise BadRequestError(f"no such client: {client_id}")
    return registration


def _client(profile: Profile, body: dict[str, Any], activity: Activity | None) -> str:
    """Whose tool it is about, as it was said or as it is usual; it has to be active."""
    registration = _registration_called(profile, str(body.get("client_id") or profile.client_of(activity)))
    if not registration.is_active:
        raise BadRequestError(f"client {registration.client_id} is not active yet")
    return registration.client_id


def _canvas(profile: Profile) -> Canvas:
    if not isinstance(profile, Canvas):
        raise BadRequestError("only canvas reads a tool configuration")
    return profile


def _redirect_uris(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(web_address(each) for each in given):
        raise BadRequestError("redirect_uris is a list of addresses")
    return given


def _fetched_configuration(campus: Campus, profile: Profile, url: Any) -> Any:
    """What Canvas takes from a URL: once, with a status of 2xx, as application/json."""
    if not web_address(url):
        raise BadRequestError("url is a web address")
    what, asked = "fetch the tool's configuration", {"GET": url}
    try:
        answer = requests_library.get(url, timeout=10)
    except requests_library.RequestException as error:
        campus.journal.write(profile.slug, TO_TOOL, what, type(error).__name__, ok=False, details=asked)
        raise BadConfigurationError([f"the configuration cannot be fetched: {type(error).__name__}"]) from error
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    ok = answer.ok and media_type == "application/json"
    campus.journal.write(profile.slug, TO_TOOL, what, f"{answer.status_code} {media_type}", ok=ok, details=asked)
    if not answer.ok:
        raise BadConfigurationError([f"the configuration URL answered {answer.status_code}"])
    if media_type != "application/json":
        raise BadConfigurationError([f"the content type is {media_type or 'missing'}, not application/json"])
    try:
        return answer.json()
    except ValueError as error:
        raise BadConfigurationError(["the configuration is not JSON"]) from error


def _initiation(begun: Initiation) -> dict[str, Any]:
    return {"login_url": begun.url, "method": begun.method, "fields": begun.fields}


def _registration(profile: Profile, registration: Registration) -> dict[str, Any]:
    with profile.speaking_with(registration.client_id):
        token_url = profile.url("token")
    return {
        "client_id": registration.client_id,
        "deployment_id": registration.deployment_id,
        "name": registration.tool.name,
        "fixed": registration.is_fixed,
        "state": registration.state,
        "in_use": registration.client_id == profile.in_use,
        "initiate_login_uri": registration.tool.login_url,
        "redirect_uris": list(registration.tool.redirect_uris),
        "target_link_uri": registration.tool.target_link_uri,
        "jwks_uri": registration.tool.jwks_url,
        "token_url": token_url,
        "scope": " ".join(registration.scopes),
        "claims": list(registration.claims),
        "shares": sorted(PERSONAL if registration.personal is None else registration.personal),
        "messages": list(registration.messages),
        "custom": dict(registration.custom),
        "withheld": sorted(registration.withheld),
    }


def _platform(profile: Profile) -> dict[str, Any]:
    return {
        "profile": profile.slug,
        "name": profile.name,
        "issuer": profile.issuer,
        "client_id": profile.fixed.client_id,
        "deployment_id": profile.fixed.deployment_id,
        "auth_url": profile.url("authorize"),
        "token_url": profile.url("token"),
        "jwks_url": profile.url("jwks"),
        "token_audience": profile.token_audience,
        "login_method": profile.login_method,
    }


def _faults(campus: Campus) -> dict[str, Any]:
    return {slug: profile.faults.as_json() for slug, profile in campus.platforms.items()}


def _course(profile: Profile, course: Course) -> dict[str, Any]:
    return {
        "id": course.id,
        "title": course.title,
        "context_id": profile.context_id(course),
        "line_items_url": profile.url("line_items", course_id=course.id),
        "memberships_url": profile.url("memberships", course_id=course.id),
        "members": [
            {"user": person.key, "user_id": profile.user_id(person), "name": person.name, "role": person.role.value}
            for person in profile.people_of(course)
        ],
        "activities": [_activity(profile, course, activity) for activity in course.activities.values()],
    }


def _activity(profile: Profile, course: Course, activity: Activity) -> dict[str, Any]:
    item = course.default_line_item(activity)
    return {
        "id": activity.id,
        "title": activity.title,
        "text": activity.text,
        "resource_link_id": activity.resource_link_id,
        "target_link_uri": activity.target_link_uri,
        "custom": activity.custom,
        "line_item": item.id if item else None,
        "line_item_url": profile.line_item_url(course, item) if item else None,
        "score_maximum": number(item.score_maximum) if item else None,
    }


def _gradebook(profile: Profile, course: Course) -> dict[str, Any]:
    return {
        "id": course.id,
        "title": course.title,
        "line_items": [
            {
                "id": item.id,
                "url": profile.line_item_url(course, item),
                "label": item.label,
                "score_maximum": number(item.score_maximum),
                "resource_id": item.resource_id,
                "tag": item.tag,
                "activity": item.activity_id,
                "made_by_tool": item.made_by_tool,
            }
            for item in course.line_items.values()
        ],
        "cells": [
            {
                "user": key,
                "user_id": profile.user_id(PEOPLE[key]),
                "line_item": item.id,
                "line_item_url": profile.line_item_url(course, item),
                "score": None if cell.score is None else number(cell.score),
                "score_maximum": number(item.score_maximum),
                "comments": cell.comments,
                "attempts": cell.attempts,
                "posts": [asdict(post) for post in cell.posts],
                "refused": cell.refused,
            }
            for item in course.line_items.values()
            for key, cell in item.cells.items()
        ],
    }
