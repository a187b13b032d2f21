"""Paths into a body or a row, as people write them.

Users know two spellings, `data.items` and JSONPath's `$.data.items[*]`; both name keys only. What
would need a choice among several values (an index, a filter, a wildcard on the way) is refused with
a sentence, because a path that silently takes the first match loses records.
"""

import json
import re

FieldPath = tuple[str, ...]
"""Keys from the outside in; the empty path is the whole."""

_NAME = re.compile(r"""[^.\[\]"'*?]+""")
_QUOTED = re.compile(r"""\[("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]""")
_WHOLE_LIST = "[*]"


def parse_path(text: str) -> FieldPath:
    """The keys of `data`, `result.items`, `$.data[*]`, `["odata.value"].x`.

    `$`, `$[*]` and the empty text are the whole. ValueError says what is wrong in a sentence.
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


def spell_field(text: str) -> str:
    """A field of a row, `$.a.b` as `a.b`: columns are named by their keys with dots between.

    ValueError where a JSONPath cannot be followed. Other names stay as they are, since any text may
    be the name of a column.
    """
    if not text.startswith(("$.", "$[")):
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
    if quoted[0] == '"':
        try:
            return str(json.loads(quoted))
        except ValueError as error:
            raise ValueError(_sentence(text, "a quoted key has a wrong escape")) from error
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])


def _explain(rest: str) -> str:
    if rest[0] == ".":
        return "a name is missing between two dots"
    if rest.startswith(_WHOLE_LIST) or rest[0] == "*":
        return "[*] is possible at the end only"
    if re.match(r"\[-?\d*(:|\])", rest):
        return "it picks from a list, but only keys can be followed"
    if rest[0] == "[":
        return 'brackets hold one quoted key, as in ["a.b"]'
    return f"{rest[0]} does not belong there"


def _sentence(text: str, why: str) -> str:
    return f"{text!r} is no path that can be followed: {why}"
