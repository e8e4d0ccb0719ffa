"""Every refusal can be read in each of our languages, and looked up by its code."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.domain.errors import DuplicateParameterError, Step, ToolError
from lti_tool.runtime.languages import ENGLISH, TAGS, Language, language, preferred

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = [tag for tag in TAGS if tag != "en"]
TECHNICAL = re.compile(
    r"id_token|\bkid\b|\bazp\b|RS256|RSA|JSON Web Token|1\.3(?:\.0)?|JavaScript|SUPPORT_ID|lti \w+ \w+"
)


def family(root: type[ToolError] = ToolError) -> Iterator[type[ToolError]]:
    """The errors of the tool itself; a test may define its own."""
    if root.__module__.startswith("lti_tool."):
        yield root
    for leaf in root.__subclasses__():
        yield from family(leaf)


SENTENCES = {error.code: error.sentence for error in family()}
STEPS = {step.name.lower(): step.value for step in Step}
ENGLISH_WORDS = {"codes": SENTENCES, "steps": STEPS, "page": ENGLISH}


def braces(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def technical(sentence: str) -> Counter[str]:
    return Counter(TECHNICAL.findall(sentence))


def test_there_are_forty_codes_at_least() -> None:
    assert len(SENTENCES) >= 40


def test_each_code_belongs_to_one_error_and_is_fit_for_an_anchor() -> None:
    codes = [error.code for error in family()]

    assert [code for code, times in Counter(codes).items() if times > 1] == []
    assert [code for code in codes if not re.fullmatch(r"[a-z_]+", code)] == []


def test_every_code_has_its_section_in_the_docs_and_no_section_is_left_over() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", page, re.MULTILINE)

    assert sorted(sections) == sorted(SENTENCES)
    assert sorted(re.findall(r"\(#(\w+)\)", page)) == sorted(SENTENCES), "each code once in the table of contents"


@pytest.mark.parametrize("tag", TRANSLATED)
@pytest.mark.parametrize("part", ENGLISH_WORDS)
def test_a_language_says_everything_and_nothing_else(tag: str, part: str) -> None:
    words = language(tag).words

    assert set(words) == set(ENGLISH_WORDS)
    assert set(words[part]) == set(ENGLISH_WORDS[part])


@pytest.mark.parametrize("tag", TRANSLATED)
@pytest.mark.parametrize("part", ENGLISH_WORDS)
def test_a_language_keeps_the_braces_and_the_technical_names_and_leaves_no_english(tag: str, part: str) -> None:
    for key, english in ENGLISH_WORDS[part].items():
        translated = language(tag).words[part][key]

        assert translated.strip() == translated != ""
        assert braces(translated) == braces(english), key
        assert technical(english) <= technical(translated), key
        assert translated != english, key


def test_a_sentence_names_its_detail_in_every_language() -> None:
    for tag in TAGS:
        assert "nonce" in language(tag).sentence(DuplicateParameterError("nonce"))


def test_arabic_alone_runs_from_right_to_left() -> None:
    assert [tag for tag in TAGS if language(tag).direction == "rtl"] == ["ar"]


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH, en;q=0.5", "de"),
        ("fr;q=0.3, es;q=0.9, de;q=0.5", "es"),
        ("es, fr", "es"),
        ("pt-BR, pt;q=0.9, fr;q=0.2", "fr"),
        ("zh-Hans-CN", "zh"),
        ("AR-eg", "ar"),
        ("nb-NO", "nb"),
        ("no", "nb"),
        ("nn-NO, en;q=0.8", "nb"),
        ("de;q=0, ar;q=0.1", "ar"),
        ("tlh", "en"),
        ("*", "en"),
        ("de;q=high, fr;q=0.1", "fr"),
        ("de;q=nan, fr;q=7", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_the_reader_gets_the_best_of_our_languages_that_the_browser_asks_for(header: str, tag: str) -> None:
    assert preferred(header).tag == tag


WISHES = st.lists(
    st.tuples(st.sampled_from([*TAGS, "no", "tlh", "*", ""]), st.text(";q=-.0123456789eE ", max_size=8)).map("".join)
).map(",".join)


@given(header=st.text() | WISHES)
def test_any_header_gives_a_language(header: str) -> None:
    found = preferred(header)

    assert isinstance(found, Language)
    assert found.tag in TAGS
