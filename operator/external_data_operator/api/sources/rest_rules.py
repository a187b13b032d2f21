"""Rules of a REST source that its schema cannot express, checked when it is applied.

Each rule is a regular expression or a comparison that CEL and Python read alike, so that the API
server, `external-data validate` and the models refuse the same. Expressions keep to what RE2 has,
and write quotes as `\\x22` and `\\x27`, because they stand inside CEL's own quotes.
"""

import re
from typing import Any

from external_data_operator.api.base import CelRule
from external_data_operator.api.paths import (
    PATH_MESSAGE,
    PATH_PATTERN,
    ROW_FIELD_PATTERN,
    is_path,
    is_row_field,
)

CREDENTIAL_HEADERS = ("authorization", "proxy-authorization", "cookie")
OWN_HEADERS = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding")
"""Headers of the connection, which the runner sets."""
HEADER_VALUE = r"^[\t\x20-\x7e\x80-\xff]*$"
"""Latin-1 without control characters."""
PAGE_PARAMS = {"cursor": ("cursorParam",), "offset": ("limitParam", "offsetParam")}
"""The fields of each pagination that name a query parameter."""
_HEADER_NAME = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST = rf"^https?://(\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]|{_LABEL}(\.{_LABEL})*\.?)(:[^:/]*)?(/|$)"
_PORT_NUMBER = (
    "0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
_PORT = rf"^https?://(\[[^\]/]*\]|[^/:]*)(:({_PORT_NUMBER})?)?(/|$)"
_ASCII = r"^[!-\[\]-~]*$"
_ADDRESS = r"^/?[A-Za-z][A-Za-z0-9+.-]*://"
_STRFTIME = r"^([^%]|%[-_0^#]?[aAbBcCdDeFfgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%])*$"


def build_pattern_rule(field: str, pattern: str, message: str) -> CelRule:
    """A text, where it is set, matches a regular expression."""
    compiled = re.compile(pattern)
    name = _snake(field)

    def holds(it: Any) -> bool:
        value = getattr(it, name)
        return value is None or compiled.search(value) is not None

    rule = f"!has(self.{field}) || self.{field}.matches(r'{pattern}')"
    return CelRule(rule, message, holds, field=field)


def build_path_rule(field: str) -> CelRule:
    """A path into a body names keys only."""
    name = _snake(field)

    def holds(it: Any) -> bool:
        value = getattr(it, name)
        return value is None or is_path(value)

    rule = f"!has(self.{field}) || self.{field}.matches(r'{PATH_PATTERN}')"
    return CelRule(rule, PATH_MESSAGE, holds, field=field)


def _snake(field: str) -> str:
    return re.sub("([A-Z])", r"_\1", field).lower()


def _has_shared_param(it: Any) -> bool:
    pages, changes = it.pagination, it.incremental
    taken = {changes.start_param, changes.end_param} if changes is not None else set()
    chosen = {key: getattr(pages, _snake(key)) for key in PAGE_PARAMS}
    names = {
        getattr(spec, _snake(field))
        for key, spec in chosen.items()
        if spec is not None
        for field in PAGE_PARAMS[key]
    }
    return bool(names & taken)


def _compare_params(key: str) -> str:
    """CEL for whether a pagination sends a parameter called `name`."""
    own = [f"self.pagination.{key}.{field} == name" for field in PAGE_PARAMS[key]]
    any_own = own[0] if len(own) == 1 else f"({' || '.join(own)})"
    return f"(has(self.pagination.{key}) && {any_own})"


def _plain(stream: str) -> str:
    """CEL for the letters and digits of a stream's name in lower case."""
    gaps = "".join(f".replace('{gap}', '')" for gap in ".-_")
    return f"{stream}.name.lowerAscii(){gaps}"


def _has_twins(it: Any) -> bool:
    plain = [re.sub("[._-]", "", stream.name.lower()) for stream in it.streams]
    return len(set(plain)) < len({stream.name for stream in it.streams})


SOURCE_RULES = (
    CelRule(
        "!has(self.headers) || "
        f"!self.headers.exists(name, name.lowerAscii() in {list(CREDENTIAL_HEADERS)})",
        "credentials belong in auth, not in headers",
        lambda it: not any(name.lower() in CREDENTIAL_HEADERS for name in it.headers),
        field="headers",
    ),
    CelRule(
        "!has(self.headers) || "
        f"!self.headers.exists(name, name.lowerAscii() in {list(OWN_HEADERS)})",
        f"the runner itself sets {', '.join(OWN_HEADERS)}",
        lambda it: not any(name.lower() in OWN_HEADERS for name in it.headers),
        field="headers",
    ),
    CelRule(
        "!has(self.headers) || self.headers.all(name, "
        "name.matches('^[A-Za-z0-9!#$%&\\'*+.^_`|~-]{1,128}$'))",
        "names of headers must be valid in HTTP",
        lambda it: all(_HEADER_NAME.match(name) for name in it.headers),
        field="headers",
    ),
    build_pattern_rule("baseUrl", _HOST, "baseUrl must have one host name or IP address"),
    build_pattern_rule("baseUrl", _PORT, "the port in baseUrl must be between 1 and 65535"),
    build_pattern_rule("baseUrl", _ASCII, "baseUrl must be ASCII without backslashes"),
    CelRule(
        # Snake case needs more than CEL has. Without the gaps between words, names of one table are
        # equal, and few others (`orderitems` beside `order_items`).
        "self.streams.all(one, self.streams.exists_one(other, "
        f"{_plain('other')} == {_plain('one')}))",
        "names of streams must differ in more than case, dots, dashes and underscores, since names "
        "of tables have only lower case and underscores",
        lambda it: not _has_twins(it),
        field="streams",
    ),
)
STREAM_RULES = (
    CelRule(
        "!has(self.body) || (has(self.method) && self.method == 'POST')",
        "body requires method POST",
        lambda it: it.body is None or it.method == "POST",
        field="body",
    ),
    CelRule(
        f"!self.path.matches(r'{_ADDRESS}')",
        "path must be relative to baseUrl, not an address",
        lambda it: re.match(_ADDRESS, it.path) is None,
        field="path",
    ),
    build_path_rule("recordsPath"),
    CelRule(
        f"!has(self.primaryKey) || self.primaryKey.all(name, name.matches(r'{ROW_FIELD_PATTERN}'))",
        PATH_MESSAGE,
        lambda it: all(is_row_field(name) for name in it.primary_key),
        field="primaryKey",
    ),
    CelRule(
        "!has(self.incremental) || !has(self.pagination) || "
        "![has(self.incremental.startParam) ? self.incremental.startParam : '', "
        "has(self.incremental.endParam) ? self.incremental.endParam : ''].exists(name, "
        f"{' || '.join(map(_compare_params, PAGE_PARAMS))})",
        "pagination and incremental must use parameters of different names",
        lambda it: not _has_shared_param(it),
        field="pagination",
    ),
)
OFFSET_RULES = (
    CelRule(
        "self.limitParam != self.offsetParam",
        "limitParam and offsetParam must differ",
        lambda it: it.limit_param != it.offset_param,
        field="offsetParam",
    ),
    build_path_rule("totalPath"),
)
INCREMENTAL_RULES = (
    CelRule(
        "has(self.endParam) == has(self.windowSeconds)",
        "endParam and windowSeconds must be set together",
        lambda it: (it.end_param is None) == (it.window_seconds is None),
        field="windowSeconds",
    ),
    CelRule(
        "!has(self.windowSeconds) || (has(self.startParam) && has(self.initialValue))",
        "windowSeconds requires startParam and initialValue",
        lambda it: (
            it.window_seconds is None
            or (it.start_param is not None and it.initial_value is not None)
        ),
        field="windowSeconds",
    ),
    CelRule(
        "!has(self.startParam) || !has(self.endParam) || self.startParam != self.endParam",
        "startParam and endParam must differ",
        lambda it: it.start_param is None or it.start_param != it.end_param,
        field="endParam",
    ),
    CelRule(
        f"self.cursorPath.matches(r'{ROW_FIELD_PATTERN}')",
        PATH_MESSAGE,
        lambda it: is_row_field(it.cursor_path),
        field="cursorPath",
    ),
    build_pattern_rule("format", _STRFTIME, "format must have only directives of strftime"),
)
