"""From a field's name as the source spells it to a column's name that every reader of the lake
takes.

A safe name stays as it is. Any other becomes snake case of letters (of any script),
digits and underscores; where two would be one to a reader that ignores case, the later one carries
a digest of its own spelling. A table keeps the names of its columns.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping

NAME_LENGTH_MAX = 128

_GAP = " "
_LETTERS, _MARKS, _DIGITS = "L", "M", "N"
"""First letters of Unicode's categories."""


def build_name(source: str) -> str:
    """The safe name of one field, others left out of account: `User Id` and `userID` are
    `user_id`, `Größe` is `größe`.
    """
    if _is_safe(source):
        return _shorten(source, source)
    plain = _blank_unsafe(unicodedata.normalize("NFC", source))
    name = re.sub(" +", "_", _cut_words(plain).lower()).strip("_")
    if not name:
        return f"column_{_digest(source)}"
    if plain.startswith("_"):
        name = f"_{name}"
    return _shorten(f"_{name}" if _is(name[0], _DIGITS) else name, source)


def assign_names(sources: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Names for the sources' fields that `known` lacks; none of them is in `known` or given twice.

    Among newcomers a field that is spelled safely goes first, then the order of spellings decides.
    """
    taken = {fold_case(name) for name in known.values()}
    given: dict[str, str] = {}
    newcomers = {source for source in sources if source not in known}
    for source in sorted(newcomers, key=lambda s: (build_name(s) != s, s)):
        name = build_name(source)
        if fold_case(name) in taken:
            name = _shorten(f"{name}_{_digest(source)}", source)
        taken.add(fold_case(name))
        given[source] = name
    return given


def fold_case(name: str) -> str:
    """The same for names that are one column to Spark and Hive, which ignore case (`ς` and `σ`)."""
    return unicodedata.normalize("NFC", name.upper().casefold())


def _is_safe(source: str) -> bool:
    """Whether nothing has to change. Letters of some scripts have no small form that differs."""
    if not source or _is(source[0], _DIGITS) or source != source.lower():
        return False
    is_kept = _GAP not in source and _blank_unsafe(source) == source
    return is_kept and unicodedata.is_normalized("NFC", source)


def _blank_unsafe(text: str) -> str:
    """Letters, their marks, digits and underscores; anything else is a gap."""
    found: list[str] = []
    for char in text:
        follows = bool(found) and found[-1] not in (_GAP, "_")
        is_kept = char == "_" or _is(char, _LETTERS) or _is(char, _DIGITS)
        # Vowels of Devanagari or Thai are marks, and so is what makes a heart a red one.
        found.append(char if is_kept or (follows and _is(char, _MARKS)) else _GAP)
    return "".join(found)


def _cut_words(text: str) -> str:
    """`userID` is two words, and so is `HTTPServer`."""
    found: list[str] = []
    for at, char in enumerate(text):
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        begins = before.islower() or (bool(before) and _is(before, _DIGITS))
        if char.isupper() and (begins or (before.isupper() and after.islower())):
            found.append("_")
        found.append(char)
    return "".join(found)


def _is(char: str, category: str) -> bool:
    return unicodedata.category(char).startswith(category)


def _shorten(name: str, source: str) -> str:
    if len(name) <= NAME_LENGTH_MAX:
        return name
    return f"{name[: NAME_LENGTH_MAX - 9]}_{_digest(source)}"


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:8]
