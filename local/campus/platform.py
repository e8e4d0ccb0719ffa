"""The doors of one platform for the tool and the browser: keys, authorisation, tokens, services, deep linking return.

The same order of steps for every profile; what differs stands in the profile.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from local.campus import vocabulary as v
from local.campus.journal import FROM_TOOL, TO_TOOL
from local.campus.json_answers import json_response
from local.campus.profile import (
    AuthenticationRefusedError,
    DeepLinkingRefusedError,
    Profile,
    ServiceRefusedError,
    TokenRefusedError,
)
from local.campus.registration import RegistrationRefusedError
from local.campus.tokens import BadTokenError
from local.campus.world import Course, LineItem, Post

_WHAT = {
    "jwks": "fetch the platform's key set",
    "authorize": "authentication request",
    "token": "access token request",
    "line_items": "line items",
    "line_item": "line item",
    "scores": "score",
    "results": "results",
    "memberships": "names and roles",
    "public_jwk": "replace the tool's key",
    "deep_linking_return": "deep linking response",
    "openid_configuration": "fetch the platform's configuration",
    "registration": "registration",
}
_GIANT_PARTS, _GIANT_PART = 1024, b" " * 65536  # 64 MiB of nothing


def doors(profile: Profile) -> Blueprint:
    """The platform's endpoints at the paths that the profile gives them."""
    blueprint = Blueprint(f"{profile.slug}_doors", __name__, url_prefix=f"/{profile.slug}")
    door = _Door(profile)

    def add(name: str, methods: list[str], view: Callable[..., AnyResponse]) -> None:
        for path in (profile.paths[name], profile.aliases.get(name)):
            if path:
                blueprint.add_url_rule(path, name, view, methods=methods, provide_automatic_options=False)

    add("jwks", ["GET"], door.jwks)
    add("authorize", ["GET", "POST"], door.authorize)
    add("token", ["POST"], door.token)
    add("deep_linking_return", ["POST"], door.deep_linking_return)
    add("openid_configuration", ["GET"], door.openid_configuration)
    add("registration", ["POST"], door.registration)
    add("line_items", ["GET", "POST"], door.service("line_items", _line_items))
    add("line_item", ["GET", "PUT", "DELETE"], door.service("line_item", _line_item))
    add("scores", ["POST"], door.service("scores", _scores))
    add("results", ["GET"], door.service("results", _results))
    add("memberships", ["GET"], door.service("memberships", _memberships))
    if "public_jwk" in profile.paths:
        add("public_jwk", ["PUT"], door.service("public_jwk", _public_jwk))

    @blueprint.after_request
    def tell_the_time(response: Response) -> Response:
        response.date = datetime.fromtimestamp(profile.now(), UTC)
        return response

    @blueprint.after_request
    def write_journal(response: Response) -> Response:
        name = (request.endpoint or "").rpartition(".")[2]
        with profile.lock:
            profile.requests[name] += 1
        remark = g.get("remark", "")
        profile.journal.write(
            profile.slug,
            FROM_TOOL,
            _WHAT.get(name, name),
            response.status if remark in response.status else f"{response.status} · {remark}",
            ok=response.status_code < 400 and g.get("accepted", True),
            details={"request": _request_details(), "answer": _answer_details(response)},
        )
        if "sent" in g:
            profile.journal.write(profile.slug, TO_TOOL, outcome="form post through the browser", **g.sent)
        return response

    return blueprint


class _Door:
    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def jwks(self, **_: Any) -> AnyResponse:
        profile = self.profile
        time.sleep(profile.faults.slow_seconds + profile.faults.slow_jwks_seconds)
        if profile.faults.dropped["jwks"]:
            return _hang_up()
        if profile.faults.jwks_down:
            return _unavailable()
        if profile.faults.jwks_missing:
            return Response("Not Found", status=404, content_type="text/plain")
        response = json_response(profile.jwks())
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    def authorize(self) -> AnyResponse:
        """The person is known from the hint, as if signed in: no cookie, so that frames work under any cookie rules."""
        with self.profile.speaking_with(request.values.get("client_id")):
            return self._authorize()

    def _authorize(self) -> AnyResponse:
        profile = self.profile
        if profile.faults.dropped["authorize"]:
            return _hang_up()
        if profile.faults.authorize_down:
            return _unavailable()
        fields = request.values
        redirect_uri = fields.get("redirect_uri", "")
        if any(len(values) > 1 for _, values in fields.lists()):
            return _page(profile, "A parameter was sent twice", "Each parameter may stand once only.", 400)
        if redirect_uri not in profile.tool.redirect_uris:
            # Never posted anywhere: an address that nobody registered may be anybody's.
            text = f"The redirect URI {redirect_uri!r} is not registered for this tool."
            return _page(profile, "The tool asked for an unknown redirect URI", text, 400)
        state = fields.get("state", "")
        try:
            pending = profile.authenticated(fields)
        except AuthenticationRefusedError as refused:
            g.remark, g.accepted = f"{refused.error}: {refused.description}", False
            answer = {"error": refused.error, "error_description": refused.description, "state": state}
            return self._post(redirect_uri, answer, "authentication error")
        fault = profile.faults.next_launch()
        if fault:
            g.remark = fault.words()
        if fault and fault.error:
            description = "Campus was asked to refuse this launch"
            answer = {"error": fault.error, "error_description": description, "state": state}
            return self._post(redirect_uri, answer, "authentication error")
        with profile.lock:
            id_token = profile.id_token(pending, fields["nonce"], fault)
        message = "deep linking request" if pending.is_selection else "launch"
        if pending.review:
            message = "submission review"
        return self._post(redirect_uri, {"id_token": id_token, "state": state}, f"{message} of {pending.person.name}")

    def _post(self, url: str, fields: Mapping[str, str], what: str) -> AnyResponse:
        profile = self.profile
        fields = {**profile.more_answer_fields(), **fields}
        g.sent = {"what": what, "ok": "error" not in fields, "details": {"POST": url, "fields": fields}}
        return make_response(render_template("post.html", action=url, fields=fields, title="Opening the tool"))

    def openid_configuration(self, **_: Any) -> AnyResponse:
        def answer() -> AnyResponse:
            registrar, fault = self.profile.registrar, self.profile.faults.registration
            configuration = registrar.configuration(registrar.asking())
            return json_response(fault.spoiled(configuration) if fault else configuration)

        return self._registering("configuration", answer)

    def registration(self, **_: Any) -> AnyResponse:
        def answer() -> AnyResponse:
            registrar, fault = self.profile.registrar, self.profile.faults.registration
            if fault and fault.refuses:
                raise RegistrationRefusedError(400, fault.refuses)
            answered = registrar.register()
            g.remark = f"{answered[v.TOOL_CONFIGURATION].get('domain')} is client {answered['client_id']}"
            return json_response(answered, registrar.success)

        return self._registering("registration", answer)

    def _registering(self, which: str, answer: Callable[[], AnyResponse]) -> AnyResponse:
        """One of the two answers of a dynamic registration, on a good day or on a bad one."""
        fault = self.profile.faults.registration
        if fault and fault.at == which:
            time.sleep(fault.slow_seconds)
            if fault.redirects and "redirected" not in request.args:
                there = f"{request.base_url}?{urlencode({**request.args.to_dict(), 'redirected': '1'})}"
                return redirect(there, 307)
            if fault.not_json:
                return Response("<!DOCTYPE html><title>LMS</title>", content_type="text/html; charset=utf-8")
            if fault.giant:
                parts = itertools.chain([b"{"], itertools.repeat(_GIANT_PART, _GIANT_PARTS), [b"}"])
                return Response(parts, content_type="application/json")
        try:
            return answer()
        except RegistrationRefusedError as refused:
            g.remark, g.accepted = f"{refused.error}: {refused.description}", False
            return self.profile.registrar.refusal(refused)

    def token(self, **_: Any) -> AnyResponse:
        profile = self.profile
        time.sleep(profile.faults.slow_seconds)
        if profile.faults.dropped["token"]:
            return _hang_up()
        if profile.faults.token_down:
            return _unavailable()
        try:
            token, scopes = profile.grant()
        except TokenRefusedError as refused:
            g.remark = f"{refused.error}: {refused.description or ''}"
            return profile.token_refusal(refused)
        body = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": " ".join(scopes)}
        response = json_response(body)
        response.headers["Cache-Control"] = "no-store"
        return response

    def service(self, name: str, view: Callable[..., AnyResponse]) -> Callable[..., AnyResponse]:
        """A service call: faults first, then the profile's form for whatever is refused."""
        profile = self.profile

        def call(**ids: int) -> AnyResponse:
            with profile.speaking_with(profile.bearer()):
                return answer(**{part: ids[part] for part in ("course_id", "item_id") if part in ids})

        def answer(**ids: int) -> AnyResponse:
            faults = profile.faults
            time.sleep(faults.slow_seconds)
            if faults.dropped.get(name):
                return _hang_up()
            match faults.next_refusal():
                case 429:
                    response = profile.refusal(ServiceRefusedError(429, "Rate Limit Exceeded", "rate_limit"), "")
                    response.headers["Retry-After"] = str(faults.retry_after)
                    response.headers["X-Rate-Limit-Remaining"] = "0.0"
                    return response
                case 500:
                    return profile.refusal(ServiceRefusedError(500, "An error occurred", "server_error"), "")
            try:
                match faults.next_service(name, _whose(profile)):
                    case "times_out":
                        faults.time_out()
                        return _hang_up()
                    case "throttled":  # as Canvas did until October 2025
                        text = "403 Forbidden (Rate Limit Exceeded)"
                        return Response(text, 403, {"X-Rate-Limit-Remaining": "0.0"}, content_type="text/plain")
                    case str() as trouble:
                        raise profile.in_trouble(trouble)
                return view(profile, **ids)
            except ServiceRefusedError as refused:
                g.remark, g.accepted = refused.reason, False
                return profile.refusal(refused, name)

        return call

    def deep_linking_return(self, course_id: int | None = None) -> AnyResponse:
        profile = self.profile
        try:
            with profile.lock:
                returned = profile.returning(course_id)
            with profile.speaking_with(returned.client_id):
                claims = self._verified(request.form.get("JWT", ""))
                profile.check_deep_linking_response(claims)
                wanted = profile.new_activities(claims, returned)
                with profile.lock:
                    profile.returning(course_id).spend()  # unless somebody was faster
                    added = [profile.add(returned.course, new, client_id=returned.client_id) for new in wanted]
        except DeepLinkingRefusedError as refused:
            g.remark, g.accepted = str(refused), False
            return _page(profile, "Nothing was added", str(refused), 400)
        g.remark = f"{len(added)} added"
        said = claims.get(v.DL + "errormsg") or claims.get(v.DL + "msg")
        return make_response(
            render_template(
                "added.html",
                profile=profile,
                course=returned.course,
                person=returned.person,
                added=added,
                said=_line(said),
            )
        )

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            return self.profile.tool_keys.verified(token)
        except BadTokenError as error:
            raise DeepLinkingRefusedError(f"JWT verification failure: {error}") from error


def _line_items(profile: Profile, course_id: int) -> AnyResponse:
    if request.method == "POST":
        profile.require_scope(v.LINE_ITEM_SCOPE)
        course = _course(profile, course_id)
        profile.require_media_type("line_items")
        body = profile.body()
        label, new = profile.parsed_line_item(body)
        extensions = profile.extensions_of_line_item(body)
        with profile.lock:
            linked = body.get("resourceLinkId")
            activity = profile.activity_of_line_item(course, linked) if linked else None
            item = profile.add_line_item(course, new, label=label, activity=activity, made_by_tool=True)
            item.extensions = extensions
            return profile.answer("line_item", profile.line_item_json(course, item), 201)
    profile.require_scope(v.LINE_ITEM_SCOPE, v.LINE_ITEM_READ_SCOPE)
    course = _course(profile, course_id)
    profile.require_media_type("line_items")
    with profile.lock:
        items = [profile.line_item_json(course, item) for item in course.line_items.values()]
    for parameter, member in (("resource_link_id", "resourceLinkId"), ("resource_id", "resourceId"), ("tag", "tag")):
        if wanted := request.args.get(parameter):
            items = [item for item in items if item.get(member) == wanted]
    part, links = profile.page(items, "line_items")
    return profile.answer("line_items", part, links=links)


def _line_item(profile: Profile, course_id: int, item_id: int) -> AnyResponse:
    if request.method == "GET":
        profile.require_scope(v.LINE_ITEM_SCOPE, v.LINE_ITEM_READ_SCOPE)
    else:
        profile.require_scope(v.LINE_ITEM_SCOPE)
    course, item = _item(profile, course_id, item_id)
    profile.require_media_type("line_item")
    with profile.lock:
        if request.method == "DELETE":
            profile.check_deletable(item)
            course.line_items.pop(item.id, None)
            return Response(status=204)
        if request.method == "PUT":
            body = profile.body()
            label, new = profile.parsed_line_item(body)
            _rescale(item, new.score_maximum)
            item.label, item.resource_id, item.tag = label, new.resource_id, new.tag
            item.starts_at, item.ends_at = new.starts_at, new.ends_at
            item.extensions = item.extensions | profile.extensions_of_line_item(body)
            profile.line_item_changed(course, item)
        return profile.answer("line_item", profile.line_item_json(course, item))


def _scores(profile: Profile, course_id: int, item_id: int) -> AnyResponse:
    profile.require_scope(v.SCORE_SCOPE)
    course, item = _item(profile, course_id, item_id)
    profile.require_media_type("scores")
    body = profile.body()
    score = profile.parsed_score(body)
    with profile.lock:
        person = profile.learner(course, score, body)
        cell = item.cell(person)
        try:
            profile.check_newer(cell, score)
        except ServiceRefusedError as refused:
            cell.refused.append(refused.reason)
            raise
        effect = "kept"
        if profile.counts(score) and score.score_given is not None:
            effect = "graded"
            maximum = score.score_maximum or 0
            cell.score = score.score_given * item.score_maximum / maximum if maximum else 0.0
        elif profile.clears(score):
            effect = "cleared"
            cell.score = None
        cell.last_timestamp = score.at
        profile.take_comment(cell, score.comment)
        profile.take_attempt(item, cell, score)
        cell.posts.append(
            Post(
                received_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                timestamp=score.timestamp,
                score_given=score.score_given,
                score_maximum=score.score_maximum,
                activity_progress=score.activity_progress,
                grading_progress=score.grading_progress,
                comment=score.comment,
                effect=effect,
            )
        )
        answer = profile.score_answer(course, item, person)
    g.remark = f"{effect}: {person.name}, {item.label}"
    profile.faults.hold()
    return answer


def _results(profile: Profile, course_id: int, item_id: int) -> AnyResponse:
    profile.require_scope(v.RESULT_SCOPE)
    course, item = _item(profile, course_id, item_id)
    profile.require_media_type("results")
    wanted = request.args.get("user_id")
    with profile.lock:
        learners = [p for p in profile.learners_of(course) if wanted in (None, "", profile.user_id(p))]
        found = [result for p in learners if (result := profile.result_json(course, item, p)) is not None]
    part, links = profile.page(found, "results")
    return profile.answer("results", part, links=links)


def _public_jwk(profile: Profile) -> AnyResponse:
    profile.require_scope(v.PUBLIC_JWK_SCOPE)
    return profile.answer("public_jwk", profile.take_public_jwk(request.get_json(silent=True)))


def _memberships(profile: Profile, course_id: int) -> AnyResponse:
    profile.require_scope(v.MEMBERSHIP_SCOPE)
    course = _course(profile, course_id)
    profile.require_media_type("memberships")
    people = profile.people_of(course)
    if role := request.args.get("role"):
        people = [person for person in people if profile.has_role(person, role)]
    with profile.lock:
        rlid = request.args.get("rlid")
        activity = profile.linked_activity(course, rlid) if rlid else None
        members = []
        for person in people:
            member = profile.member_json(person)
            if activity:
                member["message"] = [profile.member_message(person, course, activity)]
            members.append(member)
    part, links = profile.page(members, "memberships")
    return profile.answer("memberships", profile.memberships_json(course, part), links=links)


def _whose(profile: Profile) -> str | None:
    """Whose score the request at hand brings: a person's key."""
    body = request.get_json(force=True, silent=True) if request.method == "POST" else None
    person = profile.person_with(str(body.get("userId"))) if isinstance(body, dict) else None
    return person.key if person else None


def _course(profile: Profile, course_id: int) -> Course:
    course = profile.world.courses.get(course_id)
    if course is None:
        raise ServiceRefusedError(404, "Context is deleted or not found", "not_found")
    return course


def _item(profile: Profile, course_id: int, item_id: int) -> tuple[Course, LineItem]:
    course = _course(profile, course_id)
    item = course.line_items.get(item_id)
    if item is None:
        raise ServiceRefusedError(404, "Line item not found", "not_found")
    return course, item


def _rescale(item: LineItem, maximum: float) -> None:
    for cell in item.cells.values():
        if cell.score is not None:
            cell.score = cell.score * maximum / item.score_maximum
    item.score_maximum = maximum


def _line(said: Any) -> str | None:
    return said if isinstance(said, str) and said else None


def _unavailable() -> Response:
    return Response("Service Unavailable", status=503, content_type="text/plain")


def _hang_up() -> Response:
    """Close the connection. What is returned reaches the log, and nobody else."""
    g.remark = "the connection was closed without an answer"
    if connection := request.environ.get("werkzeug.socket"):
        with suppress(OSError):  # the other side was faster
            connection.shutdown(socket.SHUT_RDWR)
    return Response(status="444 No answer")


def _page(profile: Profile, title: str, text: str, status: int) -> AnyResponse:
    return make_response(render_template("refused.html", profile=profile, title=title, text=text), status)


def _request_details() -> dict[str, Any]:
    details: dict[str, Any] = {request.method: request.url}
    details["headers"] = {
        name: request.headers[name] for name in ("Accept", "Content-Type", "Authorization") if name in request.headers
    }
    if request.form:
        details["form"] = request.form.to_dict()
    elif body := request.get_data(as_text=True):
        details["body"] = body[:4000]
    return details


def _answer_details(response: Response) -> dict[str, Any]:
    details: dict[str, Any] = {"status": response.status}
    headers = ("Content-Type", "Link", "Retry-After")
    details["headers"] = {
        name: ", ".join(response.headers.getlist(name)) for name in headers if name in response.headers
    }
    if response.mimetype and "json" in response.mimetype and not response.is_streamed:
        body = response.get_json(silent=True)
        details["body"] = body if body is not None else response.get_data(as_text=True)[:4000]
    return details
