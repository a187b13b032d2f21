"""Names of columns."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_runner.records.names import (
    NAME_LENGTH_MAX,
    assign_names,
    build_name,
    fold_case,
)

FORBIDDEN = re.compile(r"[ ,;{}()\n\t=]")
"""What Delta refuses in names of tables without column mapping."""


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
        ("Ünï-cödé name!", "ünï_cödé_name"),
        ("Größe", "größe"),
        ("日本", "日本"),
        ("名前 (カナ)", "名前_カナ"),
        ("プロダクトID", "プロダクトid"),
        ("हिन्दी", "हिन्दी"),
        ("ชื่อลูกค้า", "ชื่อลูกค้า"),
        ("ИмяКлиента", "имя_клиента"),
        ("الاسم الأول", "الاسم_الأول"),
        ("cafe\u0301", "caf\u00e9"),
        ("❤\ufe0f likes", "likes"),
        ("٣ نجوم", "_٣_نجوم"),
        ("1st", "_1st"),
        (" trimmed ", "trimmed"),
        ("_Private", "_private"),
        ("drop table;--", "drop_table"),
    ],
)
def test_a_name_of_any_spelling_becomes_snake_case(source: str, name: str) -> None:
    assert build_name(source) == name


@pytest.mark.parametrize("source", ["", "\u0301", "😀", "---", "\x00", "___ ", "\ud800"], ids=ascii)
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
    assert len(set(map(fold_case, names.values()))) == len(sources)
    for name in names.values():
        assert 0 < len(name) <= NAME_LENGTH_MAX
        assert not FORBIDDEN.search(name)
        assert all(unicodedata.category(c)[0] in "LMN" or c == "_" for c in name)


@pytest.mark.parametrize(
    ("one", "other"), [("É", "é"), ("cafe\u0301", "caf\u00e9"), ("λόγος", "λόγοσ"), ("ſ", "s")]
)
def test_names_that_readers_take_for_one_stay_apart(one: str, other: str) -> None:
    names = assign_names([one, other], {})
    assert len(set(map(fold_case, names.values()))) == 2


@given(st.text(max_size=60))
def test_a_name_that_was_given_is_safe_itself(source: str) -> None:
    assert build_name(build_name(source)) == build_name(source)
