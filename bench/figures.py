"""A row of the table: what was promised, what was found, whether that keeps the promise."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`kept` is None where nothing could be measured; `figure` then says why. `detail` is what the figure came from."""

    what: str
    budget: str
    figure: str
    kept: bool | None
    detail: str = ""


def ratio_row(
    what: str, ours: float, theirs: float, detail: str, *, at_most: float | None = None, at_least: float = 0
) -> Row:
    """Two medians of one run, of which only the ratio is worth repeating; both in seconds, or both in one unit."""
    ratio = ours / theirs
    kept = ratio <= at_most if at_most is not None else ratio >= at_least
    budget = f"≤ {at_most:g}" if at_most is not None else f"≥ {at_least:g}"
    return Row(what=what, budget=budget, figure=f"{ratio:.2f}", kept=kept, detail=detail)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def table(rows: Sequence[Row]) -> str:
    """Markdown, aligned, so that it can be read in a terminal and pasted into a page."""
    words = {True: "ok", False: "OVER", None: "–"}
    cells = [("what", "budget", "figure", "", "measured")]
    cells += [(row.what, row.budget, row.figure, words[row.kept], row.detail) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
