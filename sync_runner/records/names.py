"""From a field's name as the source spells it to a column's name that every reader of the lake
takes.

A name that is safe already stays as it is. Any other becomes snake case of ASCII letters, digits
and underscores; where two would meet, the later one carries a digest of its own spelling. A table
keeps the names that it has once given.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping

NAME_LENGTH_MAX = 128

_SAFE = re.compile(r"[a-z_][a-z0-9_]*")
_WORD_BEFORE_WORD = re.compile(r"([A-Z]+)([A-Z][a-z])")
_LOWER_BEFORE_UPPER = re.compile(r"([a-z0-9])([A-Z])")
_UNSAFE = re.compile(r"[^a-z0-9_]+")
_HAS_WORD = re.compile(r"[a-z0-9]")


def build_name(source: str) -> str:
    """The safe name of one field, others left out of account: `User Id` and `userID` are
    `user_id`.
    """
    if _SAFE.fullmatch(source):
        return _shorten(source, source)
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", source) if not unicodedata.combining(c)
    )
    words = _LOWER_BEFORE_UPPER.sub(r"\1_\2", _WORD_BEFORE_WORD.sub(r"\1_\2", plain))
    name = _UNSAFE.sub("_", words.casefold()).strip("_")
    if not _HAS_WORD.search(name):
        return f"column_{_digest(source)}"
    if plain.startswith("_"):
        name = f"_{name}"
    return _shorten(f"_{name}" if name[0].isdigit() else name, source)


def assign_names(sources: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Names for the sources' fields that `known` lacks; none of them is in `known` or given twice.

    Among newcomers a field that is spelled safely goes first, then the order of spellings decides.
    """
    taken = set(known.values())
    given: dict[str, str] = {}
    newcomers = {source for source in sources if source not in known}
    for source in sorted(newcomers, key=lambda s: (build_name(s) != s, s)):
        name = build_name(source)
        if name in taken:
            name = _shorten(f"{name}_{_digest(source)}", source)
        taken.add(name)
        given[source] = name
    return given


def _shorten(name: str, source: str) -> str:
    if len(name) <= NAME_LENGTH_MAX:
        return name
    return f"{name[: NAME_LENGTH_MAX - 9]}_{_digest(source)}"


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:8]
