"""Gradebook columns, and the pages that a platform lists them on.

Spec: https://www.imsglobal.org/spec/lti-ags/v2p0/#line-item-service
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urldefrag, urlencode, urljoin, urlsplit, urlunsplit

from lti_tool.domain.addresses import web_address

COLUMN_TAG = "mark"  # by which we know a column of ours, also in a copied course


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """A column as the platform describes it; `members` is all that it said, also what we do not know."""

    url: str
    label: str
    resource_link_id: str | None
    resource_id: str | None
    tag: str | None
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLineItem:
    """`resource_id` and `tag` are ours, survive a course copy, and find the column again."""

    label: str
    score_maximum: float
    resource_link_id: str | None = None
    resource_id: str | None = None
    tag: str | None = None

    def wire(self) -> dict[str, Any]:
        body = {
            "label": self.label,
            "scoreMaximum": self.score_maximum,
            "resourceLinkId": self.resource_link_id,
            "resourceId": self.resource_id,
            "tag": self.tag,
        }
        return {name: value for name, value in body.items() if value is not None}


def line_item_from(said: Any, container: str) -> LineItem | None:
    """A line item as a platform lists it; `None` for what is none, or lies on another host than its container.

    Its maximum may be whatever the platform says: a Canvas assignment of 0 points is a column all the same, and one
    that was passed over would be made a second time.
    """
    if not isinstance(said, Mapping):
        return None
    url = web_address(said.get("id"))
    if url is None or not same_origin(url, container):
        return None
    return LineItem(
        url=url,
        label=_text(said.get("label")) or "",
        resource_link_id=_text(said.get("resourceLinkId")),
        resource_id=_text(said.get("resourceId")),
        tag=_text(said.get("tag")),
        members=dict(said),
    )


def _text(value: object) -> str | None:
    """Moodle says "" for none, and ids may be numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def with_query(url: str, **parameters: str) -> str:
    """Added to the query that is there."""
    parts = urlsplit(url)
    added = urlencode(parameters)
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, added])), fragment=""))


def same_origin(url: str, other: str) -> bool:
    one, two = urlsplit(url), urlsplit(other)
    return (one.scheme, one.netloc.lower()) == (two.scheme, two.netloc.lower())


# --- Pages ------------------------------------------------------------------------------------------------------

_LINK = re.compile(r"<([^<>]*)>((?:[^,<\"“”]|\"[^\"]*\"|“[^”]*”)*)")
_PARAMETER = re.compile(r";\s*([\w!*.-]+)\s*=\s*(?:[\"“]([^\"”]*)[\"”]|([^\s;,\"“]+))")


def next_page(link_header: str, page: str) -> str | None:
    """Where the next page is, read from the Link header of this one; `None` on the last.

    Understands several links, several rels in one, relative references, and what Moodle sends: typographic quotes as
    UTF-8, and "&amp;" between parameters.

    Spec: https://www.rfc-editor.org/rfc/rfc8288
    """
    try:
        header = link_header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        header = link_header
    for target, parameters in _LINK.findall(header):
        rels = [quoted or bare for name, quoted, bare in _PARAMETER.findall(parameters) if name.lower() == "rel"]
        if "next" in " ".join(rels).lower().split():
            return web_address(urldefrag(urljoin(page, target.strip().replace("&amp;", "&"))).url)
    return None


# --- The column of a resource link ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkColumn:
    """Where the marks of a resource link go. Scores are kept under `key`, which stays what it was at first.

    That is the line item which a launch named, or an address that stands for it (`column_of_link`); `line_item` is
    `None` until it is found or made in `container`.
    """

    key: str
    line_item: str | None
    container: str | None
    label: str | None = None


_LINK_PARTS = ("lti-deployment", "lti-resource-link")


def column_of_link(container: str, deployment_id: str, resource_link_id: str) -> str:
    """Stands for the column of a resource link until it is known which one that is: an address on the same host."""
    parts = dict(zip(_LINK_PARTS, (deployment_id, resource_link_id), strict=True))
    return f"{urldefrag(container).url}#{urlencode(parts)}"


def link_of_column(column: str) -> tuple[str, str, str] | None:
    """Container, deployment and resource link of such an address; `None` for a column that is known."""
    container, fragment = urldefrag(column)
    parts = dict(parse_qsl(fragment))
    if tuple(parts) != _LINK_PARTS:
        return None
    return container, *parts.values()  # type: ignore[return-value]
