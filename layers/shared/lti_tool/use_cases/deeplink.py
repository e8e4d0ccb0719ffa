"""Deep linking: the chosen activities become a signed response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lti_tool.domain.deeplink import require_acceptable, response_claims
from lti_tool.domain.errors import InvalidSelectionError
from lti_tool.domain.landing import placed
from lti_tool.domain.launch import DeepLinkingLaunch
from lti_tool.domain.registration import require_still_served
from lti_tool.domain.session import SessionToken
from lti_tool.use_cases.ports import Catalogue, Clock, LandingTables, Registrations, Sessions, Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSelection:
    """What the browser posts to the platform, as field `JWT`, and where."""

    return_url: str
    jwt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepLinkAnswerer:
    """Answers a deep linking request once, with any number of activities; none means cancelled."""

    sessions: Sessions
    registrations: Registrations
    landing: LandingTables
    catalogue: Catalogue
    signer: Signer
    clock: Clock

    def answer(self, token: SessionToken, activity_ids: Sequence[str], tool_url: str) -> SignedSelection:
        launch = self.sessions.answer(token).launch
        try:
            if not isinstance(launch, DeepLinkingLaunch):
                raise InvalidSelectionError
            registration = self.registrations.referred_to(launch.registration)
            require_still_served(registration, launch.deployment_id)
            activities = [self.catalogue.find(activity_id) for activity_id in dict.fromkeys(activity_ids)]
            table = self.landing.table_for(launch.registration, launch.deployment_id)
            require_acceptable(activities, placed(launch, table))
            kid = self.signer.kids_for(registration.reference)[0] if registration.pushes_public_key_to else None
            claims = response_claims(activities, launch, registration.family, tool_url, self.clock())
            jwt = self.signer.sign(claims, kid)
        except Exception:
            self.sessions.reopen(token)  # nothing went back to the platform, so the teacher may choose again
            raise
        return SignedSelection(return_url=launch.settings.return_url, jwt=jwt)
