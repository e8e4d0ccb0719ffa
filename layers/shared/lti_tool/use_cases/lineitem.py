"""Line items: which gradebook column takes the marks of a resource link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lti_tool.domain.errors import LineItemUnknownError, PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.gradebook_rules import column_maximum
from lti_tool.domain.launch import AnyLaunch, ResourceLinkLaunch
from lti_tool.domain.lineitem import COLUMN_TAG, LinkColumn, NewLineItem, column_of_link, link_of_column
from lti_tool.domain.registration import Registration
from lti_tool.domain.score import Result, Score, ScoreKey, ScoreMessage
from lti_tool.use_cases.ports import Clock, Gradebook, LineItems, LinkColumns, LinkKey

FINDING_LASTS = timedelta(minutes=2)  # at most: then somebody else may try
COLUMN_MAXIMUM = 100.0  # of a column that we make for a score without points


def column_for(message: ScoreMessage, registration: Registration, columns: LinkColumns) -> str:
    """The column that a score message means, as scores are kept under.

    Raises:
        LineItemUnknownError.
    """
    if message.resource_link_id is None:
        return message.line_item or ""
    link = LinkKey(
        registration=registration.reference,
        deployment_id=message.deployment_id,
        resource_link_id=message.resource_link_id,
    )
    column = columns.column(link)
    if column is None:
        raise LineItemUnknownError
    return column.key


def note_column(launch: AnyLaunch, columns: LinkColumns) -> None:
    """Take note of where the marks of this link go, so that scores can name the link."""
    if not isinstance(launch, ResourceLinkLaunch) or launch.grades is None:
        return
    grades, link_id = launch.grades, launch.resource_link.id
    link = LinkKey(registration=launch.registration, deployment_id=launch.deployment_id, resource_link_id=link_id)
    key = grades.line_item or column_of_link(grades.line_items or "", launch.deployment_id, link_id)
    title = launch.resource_link.title
    columns.note_column(link, LinkColumn(key=key, line_item=grades.line_item, container=grades.line_items, label=title))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFinder:
    """A gradebook in which a score may name a resource link instead of a column: it is found, or made once."""

    gradebook: Gradebook
    line_items: LineItems
    columns: LinkColumns
    clock: Clock

    def publish(self, registration: Registration, score: Score, timestamp: datetime) -> None:
        key = self._found(registration, score.key, score.score_maximum)
        self.gradebook.publish(registration, replace(score, key=key), timestamp)

    def result(self, registration: Registration, key: ScoreKey) -> Result | None:
        return self.gradebook.result(registration, self._found(registration, key, None))

    def _found(self, registration: Registration, key: ScoreKey, maximum: float | None) -> ScoreKey:
        named = link_of_column(key.line_item)
        if named is None:
            return key
        _, deployment_id, link_id = named
        link = LinkKey(registration=key.registration, deployment_id=deployment_id, resource_link_id=link_id)
        column = self.columns.column(link)
        if column is None or (column.line_item is None and column.container is None):
            raise PlatformRefusedError("line_item_unknown")
        line_item = column.line_item or self._sought(registration, link, column, maximum)
        return replace(key, line_item=line_item)

    def _sought(self, registration: Registration, link: LinkKey, column: LinkColumn, maximum: float | None) -> str:
        """One sender at a time looks for the column, and makes it only if there is none: so there is one."""
        container = column.container or ""
        until = self.clock() + FINDING_LASTS
        if not self.columns.claim_column(link, until):
            raise PlatformUnavailableError("line_item_sought", retry_after=self.clock() + timedelta(seconds=5))
        found = self.line_items.find(registration, container, resource_link_id=link.resource_link_id)
        ours = [item for item in found if item.tag == COLUMN_TAG]
        line_item = (ours or found)[0].url if found else self._made(registration, link, column, maximum)
        self.columns.found_column(link, line_item)
        return line_item

    def _made(self, registration: Registration, link: LinkKey, column: LinkColumn, maximum: float | None) -> str:
        new = NewLineItem(
            label=column.label or "Mark",
            score_maximum=column_maximum(registration.family, maximum or COLUMN_MAXIMUM),
            resource_link_id=link.resource_link_id,
            tag=COLUMN_TAG,
        )
        try:
            return self.line_items.create(registration, column.container or "", new).url
        except PlatformRefusedError as refused:
            if refused.http_status in {404, 412}:  # Canvas: a link that is no assignment has no column
                raise PlatformRefusedError("line_item_unknown", http_status=refused.http_status) from refused
            raise
