"""Paths into a body or a row.

Users know two spellings, `data.items` and JSONPath's `$.data.items[*]`; both contain only keys. An
index, a filter or a wildcard in the middle would select among several values and is refused,
because a path that silently takes the first match loses records.
"""

import json
import re

FieldPath = tuple[str, ...]
"""Keys from the outside in; the empty path is the whole."""

_NAME = re.compile(r"""[^.\[\]"'*?]+""")
_QUOTED = re.compile(r"""\[("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]""")
_WHOLE_LIST = "[*]"
_ESCAPE = re.compile(r"""\\.|["]""", re.DOTALL)
_AS_JSON = {"\\'": "'", '"': '\\"'}

# The same language as a regular expression, for rules that the API server checks.
_PLAIN_KEY = r"[^.\[\]\x22\x27*?\s]([^.\[\]\x22\x27*?]*[^.\[\]\x22\x27*?\s])?"
_ESCAPED = r"\\([\x22\x27\\/bfnrt]|u[0-9A-Fa-f]{4})"
_DOUBLE = rf"\x22([^\x22\\\x00-\x1f]|{_ESCAPED})*\x22"
_SINGLE = rf"\x27([^\x27\\\x00-\x1f]|{_ESCAPED})*\x27"
_QUOTED_KEY = rf"\[({_DOUBLE}|{_SINGLE})\]"
_KEY = rf"({_PLAIN_KEY}|{_QUOTED_KEY})"
PATH_PATTERN = rf"^\s*({_KEY}(\.{_KEY}|{_QUOTED_KEY})*)?(\[\*\])?\s*$"
# Shorter, since the API server counts the cost of a rule by its length for each item of a list; it
# lets wrong escapes and spaces pass, which the models refuse.
_ANY_KEY = r"[^.\[\]\x22\x27*?]+"
_ANY_QUOTED = r"\[(\x22([^\x22\\]|\\.)*\x22|\x27([^\x27\\]|\\.)*\x27)\]"
ROW_FIELD_PATTERN = (
    rf"^([^$]|\$([^.\[]|$)|\$((\.{_ANY_KEY})|\.?{_ANY_QUOTED})+(\[\*\])?\s*$|\$\[\*\]\s*$)"
)
"""A field of a row: a name, or a JSONPath."""
PATH_MESSAGE = "a path must contain only keys, as in data.items or $['a.b'].c"


def parse_path(text: str) -> FieldPath:
    """The keys of `data`, `result.items`, `$.data[*]`, `["odata.value"].x`.

    `$`, `$[*]` and the empty text are the whole. Raises ValueError with a sentence.
    """
    rest = text.strip().removesuffix(_WHOLE_LIST)
    if rest == "$" or rest.startswith(("$.", "$[")):
        rest = rest[1:]
        if rest.startswith(".") and not rest.startswith(".."):
            rest = rest[1:]
            if not rest:
                raise ValueError(_sentence(text, "it ends with a dot"))
    return tuple(_split(text, rest))


def format_path(path: FieldPath) -> str:
    """The shortest spelling that `parse_path` reads back; `$` for the whole."""
    spelled = ""
    for key in path:
        plain = _NAME.fullmatch(key) and key == key.strip() and key[0] != "$"
        dot = "." if spelled else ""
        spelled += f"{dot}{key}" if plain else f"[{json.dumps(key, ensure_ascii=False)}]"
    return spelled or "$"


def is_path(text: str) -> bool:
    """Whether `parse_path` takes it."""
    try:
        parse_path(text)
    except ValueError:
        return False
    return True


def is_row_field(text: str) -> bool:
    """Whether it is a name, or a JSONPath that can be followed."""
    return not text.startswith(("$.", "$[")) or is_path(text)


def spell_column(text: str) -> str:
    """The same for a list that is too long for a rule. Raises ValueError with a sentence."""
    if text.startswith(("$.", "$[")):
        parse_path(text)
    return spell_field(text)


def spell_field(text: str) -> str:
    """A field of a row, `$.a.b` as `a.b`: columns are named by their keys with dots between.

    A JSONPath that cannot be followed stays as it is, for a rule to refuse; other names do, since
    any text may be the name of a column.
    """
    if not text.startswith(("$.", "$[")) or not is_path(text):
        return text
    return ".".join(parse_path(text)) or text


def _split(text: str, rest: str) -> list[str]:
    keys: list[str] = []
    while rest:
        if quoted := _QUOTED.match(rest):
            keys.append(_unquote(text, quoted[1]))
            rest = rest[quoted.end() :]
        elif name := _NAME.match(rest):
            if name[0] != name[0].strip():
                raise ValueError(_sentence(text, "a name has spaces around it"))
            keys.append(name[0])
            rest = rest[name.end() :]
        else:
            raise ValueError(_sentence(text, _explain(rest)))
        rest = _pass_dot(text, rest)
    return keys


def _pass_dot(text: str, rest: str) -> str:
    if not rest or rest[0] == "[":
        return rest
    if rest[0] != ".":
        raise ValueError(_sentence(text, _explain(rest)))
    if rest == ".":
        raise ValueError(_sentence(text, "it ends with a dot"))
    return rest[1:]


def _unquote(text: str, quoted: str) -> str:
    """Escapes are JSON's in either quotes, and `\\'`, as in RFC 9535."""
    inner = _ESCAPE.sub(lambda found: _AS_JSON.get(found[0], found[0]), quoted[1:-1])
    try:
        return str(json.loads(f'"{inner}"'))
    except ValueError as error:
        raise ValueError(_sentence(text, "a quoted key has an invalid escape")) from error


def _explain(rest: str) -> str:
    if rest[0] == ".":
        return "a name is missing between two dots"
    if rest.startswith(_WHOLE_LIST) or rest[0] == "*":
        return "[*] is allowed only at the end"
    if re.match(r"\[-?\d*(:|\])", rest):
        return "it selects from a list, but a path contains only keys"
    if rest[0] == "[":
        return 'brackets must contain one quoted key, as in ["a.b"]'
    return f"{rest[0]} is not allowed there"


def _sentence(text: str, why: str) -> str:
    return f"{text!r} is not a valid path: {why}"
