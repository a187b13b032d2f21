"""Whether one object, in the place where a list of rows is usual, can be a row. Pure.

Three kinds of objects are sent there that look alike: a row (an API that answers with a single
object), an error with status 200, and an envelope whose list needs a `recordsPath`, which is unset.
The spec decides first (primary key and cursor), then the fields of earlier rows, and only then the
usual names in errors and envelopes.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOTHING = frozenset({"null", "false", "empty"})
"""Kinds of values that contain nothing."""
_INNER = frozenset({"objects", "an object", "a list", "empty", "null"})
"""Kinds of values that can contain rows, or could if there were any."""
_ERROR_WORDS = _words(
    "error errors errorcode errormessage errortype errordescription errormsg errcode errmsg"
    " fault faultstring faultcode exception exceptions"
)
_NEAR_ERRORS = _words(
    "message messages code status statuscode detail details title type reason success ok result"
    " description instance path timestamp requestid traceid correlationid hint documentationurl"
    " moreinfo msg"
)
"""Words that occur beside an error, and do not prove one."""
_ENVELOPE_WORDS = _words(
    "data items results result records rows value values entries list content elements hits"
    " response next nextpage nextcursor nextpagetoken nextlink previous prev page pages pageno"
    " pagesize perpage total totalcount totalpages totalresults totalsize count size limit offset"
    " meta metadata links link paging pagination cursor cursors hasmore hasnext more done first"
    " last success ok status code message error errors url object embedded requestid timestamp took"
    " kind etag version"
)
_MESSAGE_WORDS = _words("message messages msg detail details")
_STATUS_WORDS = _words("status statuscode code")
_SUCCESS_WORDS = frozenset({"ok", "success"})
_WORD = re.compile(r"[^a-z0-9]")
_IDENTITIES = frozenset({"id", "uuid", "guid", "key", "name", "number", "slug", "sku"})


class ObjectVerdict(Enum):
    """The kinds of objects."""

    ROW = "row"
    ERROR = "error"
    ENVELOPE = "envelope"
    STRANGER = "stranger"


@dataclass(frozen=True)
class Expected:
    """The known facts about a stream's rows."""

    stated: frozenset[str] = frozenset()
    """First keys of the fields that the spec names: primary key and cursor."""
    known: frozenset[str] = frozenset()
    """Fields of earlier rows."""
    nothing_is_empty: bool = False
    """Whether the spec declares that an empty response is a page without rows."""
    is_path_stated: bool = False
    """Whether the spec sets the path of the rows."""
    is_whole_stated: bool = False
    """Whether that path is the body itself."""
    paginates: bool = False


def judge(keys: Sequence[tuple[str, str]], expected: Expected) -> ObjectVerdict:
    """The kind of an object with these keys, each with the decoder's name for its value."""
    names = {name for name, _ in keys}
    if is_error(keys, known=expected.known, weak=not expected.is_whole_stated):
        return ObjectVerdict.ERROR
    if expected.known:
        return ObjectVerdict.ROW if names & expected.known else ObjectVerdict.STRANGER
    if expected.is_whole_stated or names & expected.stated:
        return ObjectVerdict.ROW
    if _is_envelope(keys, expected):
        return ObjectVerdict.ENVELOPE
    return ObjectVerdict.STRANGER if expected.stated else ObjectVerdict.ROW


def is_error(
    keys: Sequence[tuple[str, str]], *, known: Collection[str] = (), weak: bool = True
) -> bool:
    """Whether keys and the kinds of their values show an error; `known` keys do not.

    With `weak` an object of only words that occur beside errors is one, too.
    """
    told = [(_plain(name), what) for name, what in keys if name not in known]
    if any(word in _ERROR_WORDS and what not in _NOTHING for word, what in told):
        return True
    words = {word for word, _ in told}
    failed = any(word in _SUCCESS_WORDS and what == "false" for word, what in told)
    # A status alone, without a list or an object for rows, is an error.
    is_status = bool(words & _STATUS_WORDS) and not any(what in _INNER for _, what in told)
    is_told = failed or is_status or bool(words & _MESSAGE_WORDS)
    return weak and is_told and words <= _NEAR_ERRORS | _ERROR_WORDS


def find_lists(keys: Sequence[tuple[str, str]]) -> list[str]:
    """The keys with lists of objects, or else those that could have some."""
    lists = [name for name, what in keys if what == "objects"]
    return lists or [name for name, what in keys if what == "empty" and _is_envelope_word(name)]


def _is_envelope(keys: Sequence[tuple[str, str]], expected: Expected) -> bool:
    names = [name for name, _ in keys]
    inner = [name for name, what in keys if what in _INNER]
    if inner and all(map(_is_envelope_word, names)):
        return True
    lists = find_lists(keys)
    if lists and expected.paginates:
        return True
    if not lists or _IDENTITIES & set(map(_plain, names)) or expected.is_path_stated:
        return False
    others = [name for name in names if name not in lists]
    return 2 * sum(map(_is_envelope_word, others)) >= len(others)


def _is_envelope_word(name: str) -> bool:
    return name.startswith("@") or _plain(name) in _ENVELOPE_WORDS


def _plain(name: str) -> str:
    """`next_page`, `nextPage` and `Next-Page` are one word."""
    return _WORD.sub("", name.lower())
