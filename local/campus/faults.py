"""Trouble on demand: what a platform does to a tool on a bad day."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from local.campus import tokens
from local.campus import vocabulary as v

HOLD_SECONDS = 20.0
FOREVER = 1_000_000_000

# What can be wrong in an id_token, and what stands there then. "signature" is made with a key of somebody else.
WRONG: Mapping[str, str | None] = {
    "nonce": "a-nonce-that-nobody-asked-for",
    "aud": "somebody-elses-client",
    "iss": "https://elsewhere.example",
    "azp": "somebody-elses-client",
    "deployment_id": "a-deployment-from-elsewhere",
    "target_link_uri": "https://elsewhere.example/lti/launch",
    "signature": None,
    "version": "1.2.0",
    "message_type": "LtiUnheardOfRequest",
}
ERRORS = (
    *("login_required", "interaction_required", "invalid_request", "unauthorized_client", "access_denied"),
    *("unsupported_response_type", "invalid_scope", "server_error", "temporarily_unavailable"),
    *("invalid_request_object", "launch_no_longer_valid"),
)
CHECKED = {  # as the page words them
    "token_down": "Access token endpoint is down (503)",
    "jwks_down": "Key set is down (503)",
    "jwks_missing": "Key set is not there (404)",
    "jwks_without_rsa": "Key set has no RSA key",
    "authorize_down": "Authorization endpoint is down (503)",
    "refuses_key": "The tool's key set cannot be fetched for access tokens",
    "hold_scores": "Scores are stored, but the answer waits (20 s at most)",
    "storage_off": "Platform storage is off",
}
DROPPABLE = ("jwks", "authorize", "token", "scores")
_EXPIRED_AGO = 300  # seconds: more than any leeway


class BadFaultError(ValueError):
    """A fault that Campus does not have, or one with a value that makes no sense."""


@dataclass(frozen=True, kw_only=True)
class LaunchFault:
    """What goes wrong with a launch that would have been right. Several things may go wrong at once."""

    clock_skew_seconds: int = 0  # above 0: the platform's clock is fast
    wrong: str | None = None
    expired: bool = False
    unknown_kid: bool = False
    missing: tuple[str, ...] = ()
    error: str | None = None
    count: int = FOREVER

    @classmethod
    def parse(cls, given: Any) -> LaunchFault | None:
        """The fault; None for nothing at all.

        Raises:
            BadFaultError
        """
        if given is None or given is False:
            return None
        given = _counted({"launch": given}, "launch")
        if unknown := sorted(set(given) - set(cls.__dataclass_fields__)):
            raise BadFaultError(f"launch has no {', '.join(unknown)}")
        skew, wrong, missing = given.get("clock_skew_seconds") or 0, given.get("wrong"), given.get("missing") or []
        error = given.get("error")
        if not isinstance(skew, int):
            raise BadFaultError("launch.clock_skew_seconds is a whole number")
        if wrong is not None and wrong not in WRONG:
            raise BadFaultError(f"launch.wrong is one of {', '.join(WRONG)}")
        if not isinstance(missing, list) or not all(isinstance(name, str) for name in missing):
            raise BadFaultError("launch.missing is a list of names of claims")
        if error is not None and not isinstance(error, str):
            raise BadFaultError("launch.error is text")
        fault = cls(
            clock_skew_seconds=skew,
            wrong=wrong,
            expired=bool(given.get("expired")),
            unknown_kid=bool(given.get("unknown_kid")),
            missing=tuple(missing),
            error=error or None,
            count=given["count"],
        )
        return fault if fault.count and replace(fault, count=FOREVER) != cls() else None

    @property
    def strange_key(self) -> bool:
        """Whether another key than the platform's signs."""
        return self.unknown_kid or self.wrong == "signature"

    def spoiled(self, claims: tokens.Claims, now: int) -> tokens.Claims:
        claims = dict(claims)
        if self.expired:
            claims["exp"] = now - _EXPIRED_AGO
            claims["iat"] = claims["exp"] - 60
        for name in ("iat", "exp"):
            if isinstance(at := claims.get(name), int):
                claims[name] = at + self.clock_skew_seconds
        if self.wrong and (value := WRONG[self.wrong]):
            claims[v.claim(self.wrong)] = value
        for name in self.missing:
            claims.pop(v.claim(name), None)
        return claims

    def words(self) -> str:
        said = {name: value for name, value in asdict(self).items() if value and name != "count"}
        return "with a fault: " + ", ".join(
            name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {value}"
            for name, value in said.items()
        )


REGISTRATION_FAULTS = {
    "issuer_mismatch": "The configuration speaks for another issuer",
    "http_endpoints": "Its endpoints are plain http",
    "private_endpoints": "Its endpoints are in a private network",
    "redirects": "It redirects",
    "giant": "It is 64 MiB long",
    "not_json": "It is not JSON",
}
ENDPOINTS = ("authorization_endpoint", "registration_endpoint", "jwks_uri", "token_endpoint")


@dataclass(frozen=True, kw_only=True)
class RegistrationFault:
    """What goes wrong with dynamic registrations. The endpoints named in the configuration can be any of four."""

    issuer_mismatch: bool = False
    http_endpoints: tuple[str, ...] = ()
    private_endpoints: tuple[str, ...] = ()
    at: str = "configuration"  # which answer the following spoil: that one or "registration"
    redirects: bool = False
    giant: bool = False
    not_json: bool = False
    slow_seconds: float = 0.0
    refuses: str | None = None  # the error of every registration

    @classmethod
    def parse(cls, given: Any) -> RegistrationFault | None:
        """The fault; None for nothing at all.

        Raises:
            BadFaultError
        """
        if given is None or given is False:
            return None
        if not isinstance(given, dict):
            raise BadFaultError("registration is an object")
        if unknown := sorted(set(given) - set(cls.__dataclass_fields__)):
            raise BadFaultError(f"registration has no {', '.join(unknown)}")
        slow, refuses, at = given.get("slow_seconds") or 0, given.get("refuses"), given.get("at", "configuration")
        if isinstance(slow, bool) or not isinstance(slow, int | float) or slow < 0:
            raise BadFaultError("registration.slow_seconds is a number, 0 or more")
        if refuses is not None and not isinstance(refuses, str):
            raise BadFaultError("registration.refuses is text")
        if at not in ("configuration", "registration"):
            raise BadFaultError("registration.at is configuration or registration")
        fault = cls(
            issuer_mismatch=bool(given.get("issuer_mismatch")),
            http_endpoints=_endpoints(given, "http_endpoints"),
            private_endpoints=_endpoints(given, "private_endpoints"),
            at=at,
            redirects=bool(given.get("redirects")),
            giant=bool(given.get("giant")),
            not_json=bool(given.get("not_json")),
            slow_seconds=float(slow),
            refuses=refuses or None,
        )
        return fault if replace(fault, at="configuration") != cls() else None

    def spoiled(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        spoilt = dict(configuration)
        if self.issuer_mismatch:
            spoilt["issuer"] = "https://elsewhere.example"
        for names, origin in (
            (self.http_endpoints, "http://lms.example"),
            (self.private_endpoints, "https://10.0.0.1"),
        ):
            for name in names:
                spoilt[name] = origin + urlsplit(spoilt[name]).path
        return spoilt


# What a service answers instead of the truth, and which services: all of them, or some.
EVERY_SERVICE = ("line_items", "line_item", "scores", "results", "memberships")
SERVICE_REFUSALS: Mapping[str, tuple[str, ...]] = {
    "times_out": EVERY_SERVICE,
    "token_expired": EVERY_SERVICE,
    "throttled": EVERY_SERVICE,
    "column_gone": ("line_item", "scores", "results"),
    "column_locked": ("scores",),
    "course_concluded": ("scores",),
    "user_unknown": ("scores",),
    "user_suspended": ("scores",),
}


@dataclass(frozen=True, kw_only=True)
class ServiceFault:
    """How service requests are refused that would have been right. `users` are KEYs; none named: everybody's."""

    refuses: str
    users: tuple[str, ...] = ()
    count: int = FOREVER

    @classmethod
    def parse(cls, given: Any) -> ServiceFault | None:
        """The fault; None for nothing at all.

        Raises:
            BadFaultError
        """
        if given is None or given is False:
            return None
        given = _counted({"services": given}, "services")
        if unknown := sorted(set(given) - set(cls.__dataclass_fields__)):
            raise BadFaultError(f"services has no {', '.join(unknown)}")
        users = given.get("users") or []
        if given.get("refuses") not in SERVICE_REFUSALS:
            raise BadFaultError(f"services.refuses is one of {', '.join(SERVICE_REFUSALS)}")
        if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
            raise BadFaultError("services.users is a list of people's keys")
        fault = cls(refuses=given["refuses"], users=tuple(users), count=given["count"])
        return fault if fault.count else None


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """How an administrator, or the machine's clock, has set the platform wrong; false and null: not at all."""

    token_audience: str | None
    refused_scopes: tuple[str, ...]
    clock_skew_seconds: int

    @classmethod
    def parse(cls, wanted: Mapping[str, Any]) -> _Setting:
        """Raises BadFaultError."""
        audience, skew = wanted.get("token_audience") or None, wanted.get("clock_skew_seconds") or 0
        scopes = wanted.get("refused_scopes") or []
        if audience is not None and not isinstance(audience, str):
            raise BadFaultError("token_audience is text")
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise BadFaultError("refused_scopes is a list of scopes")
        if not isinstance(skew, int):
            raise BadFaultError("clock_skew_seconds is a whole number")
        return cls(token_audience=audience, refused_scopes=tuple(scopes), clock_skew_seconds=skew)


@dataclass(kw_only=True)
class Faults:
    """The faults of one platform. Counted ones wear off; the others stay until they are cleared."""

    token_down: bool = False
    jwks_down: bool = False
    jwks_missing: bool = False
    jwks_without_rsa: bool = False
    authorize_down: bool = False
    refuses_key: bool = False
    token_audience: str | None = None
    refused_scopes: tuple[str, ...] = ()
    clock_skew_seconds: int = 0  # above 0: the platform's clock is fast
    storage_off: bool = False
    slow_seconds: float = 0.0
    slow_jwks_seconds: float = 0.0
    retry_after: int = 0
    rate_limited_count: int = 0
    server_error_count: int = 0
    launch: LaunchFault | None = None
    registration: RegistrationFault | None = None
    services: ServiceFault | None = None
    dropped: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(DROPPABLE, False))
    _hold_scores: bool = False
    _release: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        with self._lock:
            self.token_down = self.jwks_down = self.storage_off = False
            self.jwks_missing = self.jwks_without_rsa = self.authorize_down = self.refuses_key = False
            self.token_audience, self.refused_scopes, self.clock_skew_seconds = None, (), 0
            self.slow_seconds = self.slow_jwks_seconds = 0.0
            self.retry_after = self.rate_limited_count = self.server_error_count = 0
            self.launch = self.registration = self.services = None
            self.dropped = dict.fromkeys(DROPPABLE, False)
            self._let_go()

    def set(self, wanted: dict[str, Any]) -> None:
        """Set what is named and leave the rest. `None` and false switch a fault off.

        Raises:
            BadFaultError: nothing is set then.
        """
        if unknown := sorted(set(wanted) - set(self.as_json())):
            raise BadFaultError(f"no such fault: {', '.join(unknown)}")
        limited = _counted(wanted, "rate_limited")
        errors = _counted(wanted, "server_error")
        launch = LaunchFault.parse(wanted.get("launch"))
        registration = RegistrationFault.parse(wanted.get("registration"))
        services = ServiceFault.parse(wanted.get("services"))
        setting = _Setting.parse(wanted)
        dropped = wanted.get("drop_connections") or dict.fromkeys(DROPPABLE, False)
        if not isinstance(dropped, dict) or not set(dropped) <= set(DROPPABLE):
            raise BadFaultError(f"drop_connections is an object with some of {', '.join(DROPPABLE)}")
        try:
            slow = {name: float(wanted[name] or 0) for name in ("slow_seconds", "slow_jwks_seconds") if name in wanted}
            retry_after = int(limited.get("retry_after", 1))
        except (TypeError, ValueError) as error:
            raise BadFaultError("slow_seconds, slow_jwks_seconds and retry_after are numbers") from error
        if min(*slow.values(), retry_after, 0) < 0:
            raise BadFaultError("slow_seconds, slow_jwks_seconds and retry_after are 0 or more")
        with self._lock:
            self.token_down = bool(wanted.get("token_down", self.token_down))
            self.jwks_down = bool(wanted.get("jwks_down", self.jwks_down))
            self.storage_off = bool(wanted.get("storage_off", self.storage_off))
            for name in ("jwks_missing", "jwks_without_rsa", "authorize_down", "refuses_key"):
                setattr(self, name, bool(wanted.get(name, getattr(self, name))))
            if "token_audience" in wanted:
                self.token_audience = setting.token_audience
            if "refused_scopes" in wanted:
                self.refused_scopes = setting.refused_scopes
            if "clock_skew_seconds" in wanted:
                self.clock_skew_seconds = setting.clock_skew_seconds
            self.slow_seconds = slow.get("slow_seconds", self.slow_seconds)
            self.slow_jwks_seconds = slow.get("slow_jwks_seconds", self.slow_jwks_seconds)
            if "launch" in wanted:
                self.launch = launch
            if "registration" in wanted:
                self.registration = registration
            if "services" in wanted:
                self.services = services
            if "drop_connections" in wanted:
                self.dropped = self.dropped | {name: bool(drop) for name, drop in dropped.items()}
            if "rate_limited" in wanted:
                self.rate_limited_count, self.retry_after = limited["count"], retry_after
            if "server_error" in wanted:
                self.server_error_count = errors["count"]
            if wanted.get("hold_scores"):
                self._hold_scores = True
                self._release.clear()
            elif "hold_scores" in wanted:
                self._let_go()

    def next_refusal(self) -> int | None:
        """The status that the next service request gets instead of its answer, and one less of those to come."""
        with self._lock:
            if self.rate_limited_count > 0:
                self.rate_limited_count -= 1
                return 429
            if self.server_error_count > 0:
                self.server_error_count -= 1
                return 500
            return None

    def next_service(self, name: str, user: str | None) -> str | None:
        """How the next request to that service is refused, and one less of those to come. `user`: whose score it is."""
        with self._lock:
            fault = self.services
            if fault is None or name not in SERVICE_REFUSALS[fault.refuses]:
                return None
            if fault.users and user not in fault.users:
                return None
            self.services = replace(fault, count=fault.count - 1) if fault.count > 1 else None
            return fault.refuses

    def time_out(self) -> None:
        """Wait until the fault is over, 20 seconds at most."""
        for _ in range(int(HOLD_SECONDS * 20)):
            fault = self.services
            if fault is None or fault.refuses != "times_out":
                return
            time.sleep(0.05)

    def next_launch(self) -> LaunchFault | None:
        """What is wrong with the next launch, and one less of those to come."""
        with self._lock:
            fault = self.launch
            if fault is not None:
                self.launch = replace(fault, count=fault.count - 1) if fault.count > 1 else None
            return fault

    def hold(self) -> None:
        """Wait until scores are let go, 20 seconds at most; at once when nothing holds them."""
        if self._hold_scores:
            self._release.wait(HOLD_SECONDS)

    def as_json(self) -> dict[str, Any]:
        return {
            "token_down": self.token_down,
            "jwks_down": self.jwks_down,
            "jwks_missing": self.jwks_missing,
            "jwks_without_rsa": self.jwks_without_rsa,
            "authorize_down": self.authorize_down,
            "refuses_key": self.refuses_key,
            "token_audience": self.token_audience,
            "refused_scopes": list(self.refused_scopes),
            "clock_skew_seconds": self.clock_skew_seconds,
            "slow_seconds": self.slow_seconds,
            "slow_jwks_seconds": self.slow_jwks_seconds,
            "rate_limited": {"retry_after": self.retry_after, "count": self.rate_limited_count},
            "server_error": {"count": self.server_error_count},
            "hold_scores": self._hold_scores,
            "drop_connections": dict(self.dropped),
            "storage_off": self.storage_off,
            "launch": asdict(self.launch) if self.launch else None,
            "registration": asdict(self.registration) if self.registration else None,
            "services": asdict(self.services) if self.services else None,
        }

    def _let_go(self) -> None:
        self._hold_scores = False
        self._release.set()


def _counted(wanted: dict[str, Any], name: str) -> dict[str, Any]:
    """A counted fault as `{"count": n, ...}`; without a count it lasts until it is cleared."""
    value = wanted.get(name)
    if value is None or value is False:
        return {"count": 0}
    if not isinstance(value, dict):
        raise BadFaultError(f"{name} is an object")
    count = value.get("count", FOREVER)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise BadFaultError(f"{name}.count is a whole number")
    return {**value, "count": count}


def _endpoints(given: dict[str, Any], name: str) -> tuple[str, ...]:
    """Names of endpoints; true is all of them."""
    value = given.get(name) or []
    names = list(ENDPOINTS) if value is True else value
    if not isinstance(names, list) or not set(names) <= set(ENDPOINTS):
        raise BadFaultError(f"registration.{name} is true or a list of {', '.join(ENDPOINTS)}")
    return tuple(names)
