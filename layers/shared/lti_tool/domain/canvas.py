"""Canvas's tool configuration: the JSON that its administrator fetches or pastes once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from lti_tool.domain.offer import Offer, Placement
from lti_tool.domain.region import Region

CANVAS = "canvas.instructure.com"


def canvas_configuration(offer: Offer, tool_url: str, regions: Sequence[Region]) -> dict[str, Any]:
    """The whole configuration, for every region that is deployed.

    Canvas asks one key set URL for a developer key, and begins a login in the region of the institution.
    """
    configuration: dict[str, Any] = {
        "title": offer.title,
        "description": offer.description,
        "target_link_uri": f"{tool_url}/lti/launch",
        "oidc_initiation_url": f"{tool_url}/lti/login",
        "oidc_initiation_urls": {region.name: f"{region.base_url}/lti/login" for region in regions},
        "public_jwk_url": f"{tool_url}/lti/jwks.json",
        "scopes": list(offer.scopes),
        "custom_fields": dict(offer.custom_fields),
        "extensions": [_extension(offer, tool_url)],
    }
    own_keys = [key for region in regions if region.base_url == tool_url for key in region.keys]
    if offer.publish_key_itself and own_keys:
        configuration["public_jwk"] = dict(own_keys[0])
    return configuration


def _extension(offer: Offer, tool_url: str) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "text": offer.text,
        "labels": dict(offer.labels),
        "icon_url": f"{tool_url}{offer.icon_path}",
        "selection_width": offer.selection_width,
        "selection_height": offer.selection_height,
        "placements": [_placement(placement, tool_url) for placement in offer.placements],
    }
    if offer.canvas_icon_class:
        settings["canvas_icon_class"] = offer.canvas_icon_class
    if offer.required_permissions:
        settings["required_permissions"] = offer.required_permissions
    return {
        "domain": urlsplit(tool_url).netloc,
        "tool_id": "serverless-lti",
        "platform": CANVAS,
        "privacy_level": offer.privacy_level,
        "settings": settings,
    }


def _placement(placement: Placement, tool_url: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "placement": placement.placement,
        "message_type": placement.message_type,
        "target_link_uri": f"{tool_url}/lti/launch",
        "enabled": True,
    }
    if placement.text:
        shown["text"] = placement.text
    if placement.labels:
        shown["labels"] = dict(placement.labels)
    return {**shown, **placement.settings.model_dump(exclude_unset=True)}
