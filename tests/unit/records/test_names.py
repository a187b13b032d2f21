"""Names of columns."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_runner.records.names import NAME_LENGTH_MAX, assign_names, build_name

SAFE = re.compile(r"[a-z_][a-z0-9_]*")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("id", "id"),
        ("_id", "_id"),
        ("a__b", "a__b"),
        ("userId", "user_id"),
        ("UserID", "user_id"),
        ("HTTPServerURL", "http_server_url"),
        ("order2Id", "order2_id"),
        ("User Id", "user_id"),
        ("meta.updated_at", "meta_updated_at"),
        ("Ünï-cödé name!", "uni_code_name"),
        ("Größe", "grosse"),
        ("1st", "_1st"),
        (" trimmed ", "trimmed"),
        ("_Private", "_private"),
        ("drop table;--", "drop_table"),
    ],
)
def test_a_name_of_any_spelling_becomes_snake_case(source: str, name: str) -> None:
    assert build_name(source) == name


@pytest.mark.parametrize("source", ["", "渡辺", "😀", "---", "\x00"], ids=ascii)
def test_a_name_without_a_letter_that_could_stay_is_named_by_its_digest(source: str) -> None:
    assert re.fullmatch(r"column_[0-9a-f]{8}", build_name(source))


def test_a_long_name_is_cut_and_stays_different_from_its_like() -> None:
    names = {build_name("a" * 300 + end) for end in ("x", "y")}
    assert len(names) == 2
    assert all(len(name) == NAME_LENGTH_MAX for name in names)


def test_of_two_names_that_would_meet_the_one_that_is_safe_already_keeps_its_own() -> None:
    names = assign_names(["userId", "User Id", "user_id"], {})
    assert names["user_id"] == "user_id"
    assert len(set(names.values())) == 3


def test_names_do_not_depend_on_the_order_in_which_fields_come() -> None:
    fields = ["userId", "User Id", "USER-ID", "x"]
    assert assign_names(fields, {}) == assign_names(fields[::-1], {})


def test_a_name_that_a_table_has_given_is_not_given_again() -> None:
    known = {"userId": "user_id"}
    names = assign_names(["userId", "user_id"], known)
    assert set(names) == {"user_id"}
    assert names["user_id"].startswith("user_id_")


@given(st.lists(st.text(max_size=200), unique=True, max_size=20))
def test_names_are_always_safe_and_never_meet(sources: list[str]) -> None:
    names = assign_names(sources, {})
    assert set(names) == set(sources)
    assert len(set(names.values())) == len(sources)
    assert all(SAFE.fullmatch(name) and len(name) <= NAME_LENGTH_MAX for name in names.values())
