"""An activity is content plus marks: an assessment that marks itself, or an app of the vendor's that sends scores."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from lti_tool.domain.addresses import is_loopback, web_address
from lti_tool.domain.errors import InvalidActivityError, InvalidAnswersError

ACTIVITY_PARAMETER = "activity_id"
"""The custom parameter that binds a resource link to an activity; it survives a course copy."""

CODE_PARAMETER = "code"
"""In which an external activity's address gets the one-time code."""

MOST_ANSWER_TEXT = 2000
_ACTIVITY_ID = r"^[a-z0-9][a-z0-9-]{0,62}$"

Answer = str | tuple[str, ...]
Answers = Mapping[str, Answer]
"""What a learner answered, by question id: an option's id, several of them, or text as typed."""


class _Parsed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Question(_Parsed):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    prompt: str = Field(min_length=1, max_length=2000)
    points: float = Field(gt=0, le=1000)


class ChoiceQuestion(_Question):
    """One of the options, or, where `answer` is a list, exactly the listed ones."""

    kind: Literal["choice"]
    options: dict[str, str] = Field(min_length=2)
    answer: str | tuple[str, ...]

    @model_validator(mode="after")
    def _answer_is_an_option(self) -> ChoiceQuestion:
        right = (self.answer,) if isinstance(self.answer, str) else self.answer
        if not right or not set(right) <= set(self.options):
            raise ValueError("the answer has to be among the options")
        return self

    @property
    def multiple(self) -> bool:
        return not isinstance(self.answer, str)

    def is_right(self, answer: Answer) -> bool:
        given = {answer} if isinstance(answer, str) else set(answer)
        return given == ({self.answer} if isinstance(self.answer, str) else set(self.answer))

    def shown(self) -> dict[str, Any]:
        options = [{"id": key, "text": text} for key, text in self.options.items()]
        return {"options": options, "multiple": self.multiple}


class NumberQuestion(_Question):
    """A number, right within `tolerance`; a decimal comma is as good as a point."""

    kind: Literal["number"]
    answer: float
    tolerance: float = Field(default=0, ge=0)
    unit: str = ""

    def is_right(self, answer: Answer) -> bool:
        if not isinstance(answer, str):
            return False
        try:
            given = Decimal(re.sub(r"\s", "", answer).replace(",", "."))
            return given.is_finite() and abs(given - Decimal(str(self.answer))) <= Decimal(str(self.tolerance))
        except ArithmeticError:  # no number, or one beyond all measure
            return False

    def shown(self) -> dict[str, Any]:
        return {"unit": self.unit} if self.unit else {}


class TextQuestion(_Question):
    """A short text, compared without regard to case, outer or repeated space, and how accents are composed."""

    kind: Literal["text"]
    accept: tuple[str, ...] = Field(min_length=1)

    def is_right(self, answer: Answer) -> bool:
        return isinstance(answer, str) and _plain(answer) in {_plain(text) for text in self.accept}

    def shown(self) -> dict[str, Any]:
        return {}


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", " ".join(text.split())).casefold()


Question = Annotated[ChoiceQuestion | NumberQuestion | TextQuestion, Field(discriminator="kind")]


class _Entry(_Parsed):
    id: str = Field(pattern=_ACTIVITY_ID)
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2000)
    language: str = "en"


class Assessment(_Entry):
    """Questions that mark themselves. `score_maximum` is what they are worth together."""

    kind: Literal["assessment"]
    questions: tuple[Question, ...] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _question_ids_differ(self) -> Assessment:
        if len({question.id for question in self.questions}) != len(self.questions):
            raise ValueError("two questions have the same id")
        return self

    @property
    def score_maximum(self) -> float:
        return round(sum(question.points for question in self.questions), 4)

    def summary(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "kind": self.kind,
            "score_maximum": self.score_maximum,
            "questions": len(self.questions),
        }

    def shown(self) -> dict[str, Any]:
        """As a learner may see it: no answers in it."""
        questions = [
            {
                "id": question.id,
                "kind": question.kind,
                "prompt": question.prompt,
                "points": question.points,
                **question.shown(),
            }
            for question in self.questions
        ]
        return {**self.summary(), "questions": questions}

    def score(self, answers: Answers) -> float:
        """The points that the answers earn; a question without an answer earns none."""
        right = (question for question in self.questions if question.is_right(answers.get(question.id, "")))
        return round(sum(question.points for question in right), 4)


def _app_address(value: str) -> str:
    parts = urlsplit(web_address(value) or "")
    if not (parts.scheme == "https" or is_loopback(value)):
        raise ValueError("not an https address")
    if CODE_PARAMETER in dict(parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(f"the address may not have a parameter “{CODE_PARAMETER}” of its own")
    return value


class ExternalActivity(_Entry):
    """An app of the vendor's, which learns of the launch by a one-time code and sends its scores itself.

    Without `score_maximum` it brings no column into the gradebook.
    """

    kind: Literal["external"]
    url: Annotated[str, AfterValidator(_app_address)]
    score_maximum: float | None = Field(default=None, gt=0, le=100_000)

    def summary(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "kind": self.kind,
            "score_maximum": self.score_maximum,
        }

    def shown(self) -> dict[str, Any]:
        return self.summary()

    def address(self, code: str) -> str:
        """Where a browser goes on: the catalogue's address, and the code in its query."""
        parts = urlsplit(self.url)
        query = "&".join(filter(None, (parts.query, urlencode({CODE_PARAMETER: code}))))
        return urlunsplit(parts._replace(query=query))


Activity = Annotated[Assessment | ExternalActivity, Field(discriminator="kind")]
"""An entry of the catalogue."""

_ACTIVITY: TypeAdapter[Activity] = TypeAdapter(Activity)


def parse_activity(document: object) -> Activity:
    try:
        return _ACTIVITY.validate_python(document)
    except ValidationError as error:
        # The first part of a place is the kind, which is no part of what somebody wrote.
        problems = "; ".join(f"{'.'.join(map(str, p['loc'][1:])) or 'kind'}: {p['msg']}" for p in error.errors())
        raise InvalidActivityError(problems) from error


_ANSWERS = TypeAdapter(
    dict[
        Annotated[str, Field(max_length=64)],
        Annotated[str, Field(max_length=MOST_ANSWER_TEXT)]
        | Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=50)],
    ]
)


def parse_answers(document: object) -> Answers:
    try:
        return _ANSWERS.validate_python(document)
    except ValidationError as error:
        raise InvalidAnswersError from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a learner handed in on a resource link, and what it earned; of a preview, no score is sent."""

    user_id: str
    name: str | None
    activity_id: str
    answers: Answers
    score_given: float
    score_maximum: float
    submitted_at: datetime
    is_preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A learner began on a resource link: opened its activity for the first time."""

    user_id: str
    name: str | None
    started_at: datetime


def activity_url(tool_url: str, activity_id: str) -> str:
    return f"{tool_url}/activities/{activity_id}"


def activity_named_by(target_link_uri: str) -> str | None:
    """The activity that a link's address names, whichever region's host it carries."""
    head, _, activity_id = urlsplit(target_link_uri).path.rpartition("/")
    return activity_id if head.endswith("/activities") and re.match(_ACTIVITY_ID, activity_id) else None


def found_in(activities: Sequence[Activity], query: str) -> list[Activity]:
    """The activities whose title or description holds every word of the query, by title."""
    words = query.casefold().split()
    found = [a for a in activities if all(word in f"{a.title} {a.description}".casefold() for word in words)]
    return sorted(found, key=lambda activity: (activity.title.casefold(), activity.id))
