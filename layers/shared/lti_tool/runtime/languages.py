"""The words of our own pages in the reader's language; English stands in the code, the others in `languages/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lti_tool.domain.errors import Step, ToolError

ENGLISH = {
    "code": "Code",
    "support_id": "support id",
    "if_you_teach": "If you teach this course",
    "if_you_administrate": "If you look after the learning platform",
    "back_to_course": "Back to your course",
    "opening": "Opening …",
    "needs_javascript": "Please allow JavaScript for this page.",
    "returning": "Returning to your course …",
    "return": "Return to your course",
    "new_window_title": "One more click",
    "new_window_reason": "Your browser keeps this page from remembering who you are while it is inside another site.",
    "new_window": "Open in a new window",
    "new_window_opened": "It has opened in a new window. You can close this one.",
    "store_unanswered": "Your course's page did not answer. Open it again from there, best in a new window.",
    "waiting_title": "Waiting for approval",
    "waiting_what": (
        "It was opened from here for the first time; whoever runs the tool approves that once, for everybody "
        "here. Nothing is wrong, and nothing is lost."
    ),
    "waiting_tell": (
        "If nobody knows of it yet, tell your teacher or the people who look after your learning platform, and "
        "hand on these values:"
    ),
    "waiting_deployment": "Place (deployment id)",
    "waiting_again": "Once it is approved, open it again from your course. This page does not change by itself.",
    "claimed": (
        "So the request named itself. Nobody has checked it: compare it with what the platform's administrator says."
    ),
    "tool_addresses": "The tool's addresses, to enter in the platform:",
    "register_command": (
        "For the tool's operator. The platform's administrator knows the three addresses that are still missing:"
    ),
    "register_preset": "For the tool's operator:",
    "register_title": "Register this learning platform?",
    "register_platform": "Learning platform",
    "register_tenant": "Invited as",
    "register_shared": "What the platform will share of its users",
    "register_services": "Which services the tool may use",
    "register_placements": "Where the tool will appear",
    "register": "Register",
    "registered_title": "Registered",
    "registered": "The learning platform and the tool know each other now. You can close this window.",
}
"""The words of the pages; each language file has the same keys under `page`."""

TAGS = ("en", "de", "es", "nb", "fr", "ar", "zh")
_RIGHT_TO_LEFT = frozenset(("ar",))
_SAME = {"no": "nb", "nn": "nb"}


@dataclass(frozen=True, slots=True)
class Language:
    """One language's words. `tag` is BCP 47; what a file lacks is said in English."""

    tag: str
    words: dict[str, Any]

    @property
    def direction(self) -> str:
        return "rtl" if self.tag in _RIGHT_TO_LEFT else "ltr"

    def page(self, key: str) -> str:
        word: str = self.words.get("page", {}).get(key, ENGLISH[key])
        return word

    def sentence(self, error: ToolError) -> str:
        sentence: str = self.words.get("codes", {}).get(error.code, error.sentence)
        return sentence.format(**error.details)

    def step(self, step: Step) -> str:
        words: str = self.words.get("steps", {}).get(step.name.lower(), step.value)
        return words


@cache
def language(tag: str) -> Language:
    if tag == "en":
        return Language("en", {})
    text = (Path(__file__).parent / "languages" / f"{tag}.json").read_text(encoding="utf-8")
    return Language(tag, json.loads(text))


def preferred(accept_language: str) -> Language:
    """The best of our languages for an Accept-Language header (RFC 9110, 12.5.4); English when it names none."""
    wishes: list[tuple[float, int, str]] = []
    for place, entry in enumerate("".join(accept_language.split()).lower().split(",")[:20]):
        wished, _, weight = entry.partition(";q=")
        tag = wished.partition("-")[0]
        tag = _SAME.get(tag, tag)
        try:
            quality = float(weight or "1")
        except ValueError:
            continue
        if tag in TAGS and 0 < quality <= 1:
            wishes.append((-quality, place, tag))
    return language(min(wishes)[2] if wishes else "en")
