"""Values that people paste: what came along unseen is taken off, and said."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pasted:
    """Reads pasted values; `mended` says what was changed. What comes out is compared exactly ever after."""

    mended: list[str] = field(default_factory=list)

    def value(self, name: str, text: str) -> str:
        """The text without outer whitespace, and without no-break spaces and zero-width characters anywhere."""
        visible = "".join(character for character in text if not _is_unseen(character)).strip()
        if visible != text:
            self.mended.append(f"{name}: white space or invisible characters removed")
        return visible

    def without_slash(self, name: str, text: str) -> str:
        """The value of a URL whose platform is known to write it without a slash at the end."""
        url = self.value(name, text)
        if url.endswith("/"):
            self.mended.append(f"{name}: slash at the end removed")
        return url.rstrip("/")


def _is_unseen(character: str) -> bool:
    # "Cf" holds what formats and is not seen: zero-width spaces and joiners, direction marks, byte order marks.
    return character in "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}" or unicodedata.category(character) == "Cf"
