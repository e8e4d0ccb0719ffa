"""The control API: what tests and the local runner ask of Campus, in JSON. Its contract stands in `local.campus`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request

from local.campus.campus import Campus
from local.campus.faults import BadFaultError
from local.campus.profile import NewActivity, NewLineItem, Profile, is_number, number
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
            course, activity = _activity_called(profile, body.get("activity"))
            target = str(body.get("document_target") or "iframe")
            fields = campus.begin(
                profile,
                _person(profile, body, "user"),
                course,
                activity,
                document_target=target,
                oddities=_oddities(body),
            )
        return jsonify({"login_url": profile.tool.login_url, "fields": fields})

    @blueprint.post("/<slug>/deep_linking")
    def deep_linking(slug: str) -> Response:
        profile, body = profile_called(slug), _body()
        with profile.lock:
            course = _course_called(profile, body.get("course"))
            fields = campus.begin(profile, _person(profile, body, "user"), course, None, oddities=_oddities(body))
        return jsonify({"login_url": profile.tool.login_url, "fields": fields})

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
            fields = campus.begin(profile, person, course, activity, review=review, oddities=_oddities(body))
        return jsonify({"login_url": profile.tool.login_url, "fields": fields})

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


def _platform(profile: Profile) -> dict[str, Any]:
    return {
        "profile": profile.slug,
        "name": profile.name,
        "issuer": profile.issuer,
        "client_id": profile.client_id,
        "deployment_id": profile.deployment_id,
        "auth_url": profile.url("authorize"),
        "token_url": profile.url("token"),
        "jwks_url": profile.url("jwks"),
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
