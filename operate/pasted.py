"""Values that people paste: what came along unseen is taken off, and said."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

_QUOTES = {'""', "''", "<>", "``", "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"}
# One of the six values, the dashboard after login, any other page: admin/settings.php, course/view.php?id=2 ...
_MOODLE_PAGE = re.compile(r"(/(admin|course|login|my|user|mod/\w+))?/\w+\.php.*$|/my/?([?#].*)?$|[?#].*$")


@dataclass(frozen=True, slots=True)
class Pasted:
    """Reads pasted values; `mended` says what was changed. What comes out is compared exactly ever after."""

    mended: list[str] = field(default_factory=list)

    def value(self, name: str, text: str) -> str:
        """The text without outer whitespace and quotes, and without no-break spaces and zero-width characters."""
        visible = "".join(character for character in text if not _is_unseen(character)).strip()
        if visible != text:
            self.mended.append(f"{name}: white space or invisible characters removed")
        if visible[:1] + visible[-1:] in _QUOTES and len(visible) > 2:
            self.mended.append(f"{name}: quotes around it removed")
            return visible[1:-1]
        return visible

    def without_slash(self, name: str, text: str) -> str:
        """The value of a URL whose platform is known to write it without a slash at the end."""
        url = self.value(name, text)
        if url.endswith("/"):
            self.mended.append(f"{name}: slash at the end removed")
        return url.rstrip("/")

    def moodle_site(self, name: str, text: str) -> str:
        """A Moodle site's own URL, also from that of one of its pages, which is what the browser shows."""
        url = self.value(name, text)
        site = _MOODLE_PAGE.sub("", url)
        if site != url:
            self.mended.append(f"{name}: cut to the site's own address")
        return self.without_slash(name, site)


def _is_unseen(character: str) -> bool:
    # "Cf" holds what formats and is not seen: zero-width spaces and joiners, direction marks, byte order marks.
    return character in "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}" or unicodedata.category(character) == "Cf"
