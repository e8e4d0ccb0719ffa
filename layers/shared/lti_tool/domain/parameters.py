"""What a browser posts or puts into a query: names and values, unverified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from lti_tool.domain.errors import DuplicateParameterError, MalformedFormError, MissingParameterError

MOST_FIELDS = 200


def _is_half(text: str) -> bool:
    """Whether it holds half a surrogate pair, which no encoding can keep."""
    return any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True, slots=True)
class UnverifiedParameters:
    """The fields of a form or a query, in the order they came; a name may come several times."""

    fields: Mapping[str, tuple[str, ...]]

    @classmethod
    def parse(cls, encoded: str) -> UnverifiedParameters:
        """Read `application/x-www-form-urlencoded` text; blank values count as given.

        Raises:
            MalformedFormError: not UTF-8 after decoding, or more fields than any message has.
        """
        try:
            pairs = parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        except ValueError as error:
            raise MalformedFormError from error
        return cls.of(pairs)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> UnverifiedParameters:
        fields: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            if not (name + value).isprintable() and _is_half(name + value):
                raise MalformedFormError
            fields[name] = (*fields.get(name, ()), value)
        return cls(fields)

    def pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self.fields.items() for value in values]

    def all(self, name: str) -> tuple[str, ...]:
        return self.fields.get(name, ())

    def optional(self, name: str) -> str | None:
        """The one value, or `None` when the name did not come; an empty value is a value.

        Raises:
            DuplicateParameterError: it came twice, so that two readers could believe different things.
        """
        values = self.all(name)
        if len(values) > 1:
            raise DuplicateParameterError(name)
        return values[0] if values else None

    def required(self, name: str) -> str:
        value = self.optional(name)
        if not value:
            raise MissingParameterError(name)
        return value
