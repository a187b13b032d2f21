"""Paths as people write them, and the sentences for those that cannot be followed."""

import re

import pytest
from external_data_operator.api.paths import (
    PATH_PATTERN,
    ROW_FIELD_PATTERN,
    format_path,
    is_path,
    is_row_field,
    parse_path,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        ("$", ()),
        ("$[*]", ()),
        ("data", ("data",)),
        ("  data ", ("data",)),
        ("result.items", ("result", "items")),
        ("$.data", ("data",)),
        ("$.data[*]", ("data",)),
        ("data[*]", ("data",)),
        ('["odata.value"].x', ("odata.value", "x")),
        ('["odata.value"]["x"]', ("odata.value", "x")),
        ("$['odata.value'].x", ("odata.value", "x")),
        ('a["b.c"]', ("a", "b.c")),
        ('a.["b.c"].d', ("a", "b.c", "d")),
        (r'["q\"\\\u00e9"]', ('q"\\é',)),
        (r"['it\'s']", ("it's",)),
        (r"['\u0041\"\n\\']", ('A"\n\\',)),
        ("['a\"b']", ('a"b',)),
        (r"['\ud83d\ude00']", ("😀",)),
        ("$['a.b']", ("a.b",)),
        ('[""]', ("",)),
        ("@odata.count", ("@odata", "count")),
        ("$top", ("$top",)),
        ("next-page.zażółć", ("next-page", "zażółć")),
        ("result set.x", ("result set", "x")),
    ],
)
def test_a_path_is_its_keys(text: str, path: tuple[str, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("data.", "it ends with a dot"),
        ("$.", "it ends with a dot"),
        (".", "a name is missing between two dots"),
        (".data", "a name is missing between two dots"),
        ("a..b", "a name is missing between two dots"),
        ("$..b", "a name is missing between two dots"),
        ("data[0]", "it selects from a list, but a path contains only keys"),
        ("data[-1].x", "it selects from a list, but a path contains only keys"),
        ("data[1:2]", "it selects from a list, but a path contains only keys"),
        ("data[*].id", "[*] is allowed only at the end"),
        ("data.*", "[*] is allowed only at the end"),
        ("data[b]", 'brackets must contain one quoted key, as in ["a.b"]'),
        ('data["b"', 'brackets must contain one quoted key, as in ["a.b"]'),
        ("data[?(@.a)]", 'brackets must contain one quoted key, as in ["a.b"]'),
        ('["a"]b', "b is not allowed there"),
        ("a]", "] is not allowed there"),
        ("a'b", "' is not allowed there"),
        (r'["\x"]', "a quoted key has an invalid escape"),
        (r"['\x']", "a quoted key has an invalid escape"),
        (r"['\u12']", "a quoted key has an invalid escape"),
        ("a . b", "a name has spaces around it"),
    ],
)
def test_a_path_that_cannot_be_followed_is_refused_with_a_sentence(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r" is not a valid path: ") as error:
        parse_path(text)
    assert str(error.value) == f"{text!r} is not a valid path: {why}"


KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["a", "a.b", "$", "$x", "[*]", "'", '"', "\\", " ", ""]
)


@settings(database=None, suppress_health_check=[HealthCheck.too_slow])
@given(keys=st.lists(KEYS, max_size=4).map(tuple))
def test_a_formatted_path_reads_back_as_itself(keys: tuple[str, ...]) -> None:
    assert parse_path(format_path(keys)) == keys


PIECES = st.sampled_from(
    [
        "a",
        "$",
        ".",
        "[",
        "]",
        "*",
        "[*]",
        "'",
        '"',
        "\\",
        "\\u0041",
        " ",
        "?",
        "['a.b']",
        '["c"]',
        "0",
        "n",
    ]
)


@settings(database=None, max_examples=1000)
@given(pieces=st.lists(PIECES, max_size=9))
@example(pieces=["$", "[*]", " "])
@example(pieces=["$", "['a.b']", " "])
def test_the_api_server_takes_the_same_paths(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert (re.search(PATH_PATTERN, text) is not None) == is_path(text)
    if is_row_field(text) and text:
        assert re.search(ROW_FIELD_PATTERN, text) is not None
