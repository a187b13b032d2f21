"""Keys and cursors that the first rows of a stream suggest, with the line that declares them.

A suggestion changes no sync: a key that is unique on one page may merge rows of the next, and a
wrong cursor skips rows. Only a person can declare either.
"""

import json
import re
from collections.abc import Sequence

from external_data_operator.api.cursors import IncrementalField
from external_data_operator.api.schema import Candidate, SchemaSpec
from external_data_operator.reconcile.plans.stream import Stream

_CANDIDATES_MAX = 20
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that YAML does not read as text."""


def find_candidates(stream: Stream, spec: SchemaSpec | None = None) -> list[Candidate]:
    """Keys and cursors that neither the source's spec nor the schema's declares."""
    found: list[Candidate] = []
    has_key = stream.primary_key or (spec is not None and spec.primary_key_columns is not None)
    if stream.candidate_key and not has_key:
        found.append(_suggest_key(stream.candidate_key, stream.sampled_rows))
    has_cursor = stream.cursor is not None or (spec is not None and spec.incremental_field)
    # A log needs no cursor.
    if not has_cursor and not stream.has_log:
        found += [_suggest_cursor(field) for field in stream.incremental_fields]
    return found[:_CANDIDATES_MAX]


def _suggest_key(key: Sequence[str], rows: int) -> Candidate:
    fields = ", ".join(map(_spell, key))
    count = "the only row" if rows == 1 else f"all {rows} rows"
    return Candidate(
        line=f"primaryKey: [{fields}]",
        why=f"{', '.join(key)} was set and different in {count} of the first page. "
        "Declare it only if it identifies a row in the whole stream.",
    )


def _suggest_cursor(field: IncrementalField) -> Candidate:
    return Candidate(
        line=f"incremental: {{cursorPath: {_spell(field.name)}, cursorType: {field.type}}}",
        why=f"{field.name} has {field.type} values on the first page. Declare it only if it "
        "increases whenever a row changes; startParam is the query parameter for newer rows.",
    )


def _spell(name: str) -> str:
    """A name as YAML reads it back."""
    is_plain = _PLAIN.fullmatch(name) and name.lower() not in _WORDS
    return name if is_plain else json.dumps(name, ensure_ascii=False)
