"""Columns and the pages that list them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.domain.addresses import web_address
from lti_tool.domain.lineitem import column_of_link, line_item_from, link_of_column, next_page, with_query

PAGE = "https://lms.example/api/line_items?tag=a&page=1"
MOODLE = "<https://lms.example/items?type_id=1&amp;from=5>; rel=“next”".encode().decode("latin-1")


@pytest.mark.parametrize(
    ("header", "following"),
    [
        ('<https://lms.example/2>; rel="next"', "https://lms.example/2"),
        ("<https://lms.example/2>;rel=next", "https://lms.example/2"),
        ('<https://lms.example/2>; title="a, <b>; rel=prev"; REL="NEXT last"', "https://lms.example/2"),
        ('<https://lms.example/1>; rel="current",<https://lms.example/2>; rel="next"', "https://lms.example/2"),
        ('<https://lms.example/a,b;c>; rel="next"', "https://lms.example/a,b;c"),
        ("<?page=2>; rel=next", "https://lms.example/api/line_items?page=2"),
        ("</items/2>; rel=next", "https://lms.example/items/2"),
        ("<2#top>; rel=next", "https://lms.example/api/2"),
        (MOODLE, "https://lms.example/items?type_id=1&from=5"),
        ('<https://lms.example/1>; rel="prev", <https://lms.example/9>; rel="last"', None),
        ('<https://lms.example/2>; rel="nextish"', None),
        ('<https://lms.example/2>; title="rel=next"', None),
        ("<javascript:alert(1)>; rel=next", None),
        ("<https://user@lms.example/2>; rel=next", None),
        ("<>; rel=", None),
        ("", None),
    ],
)
def test_the_next_page_is_read_from_the_link_header(header: str, following: str | None) -> None:
    assert next_page(header, PAGE) == following


@given(st.text(alphabet='<>;=",“”reln xt/:?&[].\\', max_size=200))
def test_any_header_leads_to_a_web_address_or_nowhere(header: str) -> None:
    following = next_page(header, PAGE)

    assert following is None or web_address(following)


def test_a_long_header_is_read_in_no_time() -> None:
    assert next_page('<a>; x="' * 2_000, PAGE) is None


@pytest.mark.parametrize(
    "said",
    [
        None,
        "text",
        {},
        {"id": "https://elsewhere.example/1", "scoreMaximum": 10},
        {"scoreMaximum": 10},
    ],
)
def test_what_is_no_column_of_this_platform_is_left_out(said: object) -> None:
    assert line_item_from(said, "https://lms.example/items") is None


@pytest.mark.parametrize("said", [{}, {"scoreMaximum": 0}, {"scoreMaximum": None}, {"scoreMaximum": "10"}], ids=str)
def test_a_column_counts_whatever_its_maximum(said: dict[str, object]) -> None:
    item = line_item_from({"id": "https://lms.example/1", **said}, "https://lms.example/items")

    assert item is not None
    assert item.url == "https://lms.example/1"


def test_moodle_says_nothing_as_empty_text_and_ids_may_be_numbers() -> None:
    said = {"id": "https://lms.example/1", "label": "x", "scoreMaximum": 5, "resourceLinkId": 12, "tag": ""}

    item = line_item_from(said, "https://lms.example/items")

    assert item is not None
    assert (item.resource_link_id, item.tag) == ("12", None)


def test_a_query_is_added_to_the_one_that_is_there() -> None:
    assert with_query("https://h.example/a?type_id=2#x", tag="a b") == "https://h.example/a?type_id=2&tag=a+b"
    assert with_query("https://h.example/a") == "https://h.example/a"


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_column_that_is_still_to_be_found_names_its_link(deployment_id: str, resource_link_id: str) -> None:
    try:
        column = column_of_link("https://lms.example/items?type_id=2", deployment_id, resource_link_id)
    except UnicodeEncodeError:  # half a character, which no id is
        return

    assert link_of_column(column) == ("https://lms.example/items?type_id=2", deployment_id, resource_link_id)


def test_a_column_that_is_known_names_no_link() -> None:
    assert link_of_column("https://lms.example/items/7?type_id=2#top") is None
