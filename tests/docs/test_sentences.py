"""The sentences that users read contain no word of the dialect that they were first written in.

The sentences are found by reflection: reasons and remedies, actions, every description and rule of
the resource definitions, the values of the chart, and every message in the code of the operator
and of the runner.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.actions import ACTIONS
from external_data_operator.api.conditions import REMEDIES, SENTENCES
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.crdgen.definition import build_definition
from external_data_operator.errors import OperatorError

from sync_runner import errors

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator/external_data_operator"
RUNNER = ROOT / "sync_runner"
CHART = ROOT / "helm/external-data-operator"
ROOMS = ("api", "reconcile", "cluster", "runtime", "cli")
DIALECT = re.compile(
    r"\b(anew|once more|go(es|ing)? on|says?|said|tells?|told|stands?|stood|lies|moments?|"
    r"come(s|) about|comes? to|leads? nowhere|(so|as) many( as)?|is none|there is none|"
    r"speaks?( of)?|somebody|nobody|mend(s|ed|ing)?|whom|under way|tries again|tried again|"
    r"without it|without one|lands?|let in|get on|how (it|that) goes|what becomes|becomes of|"
    r"belongs? into|is no|are no)\b",
    re.IGNORECASE,
)


def descriptions_of(schema: Any) -> Iterator[str]:
    """Every description and every rule's message below a node of a definition."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("description", "message") and isinstance(value, str):
                yield value
            else:
                yield from descriptions_of(value)
    elif isinstance(schema, list):
        for one in schema:
            yield from descriptions_of(one)


def messages_of(path: Path) -> Iterator[str]:
    """Every text of a module that is no docstring and has a space: messages, and little else."""
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in docs and " " in text.strip():
            yield text


def runner_messages_of(path: Path) -> Iterator[str]:
    """Every message of a module of the runner that ends a run: what a variable `message` is set to,
    and what an error of its own is raised with. Inserted values are one `X`.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Assign(targets=[ast.Name(id="message")], value=value):
                yield from render_text(value)
            case ast.Call(func=ast.Name(id=name), args=args) if name in RUN_ERRORS:
                for value in args:
                    yield from render_text(value)


def render_text(node: ast.expr) -> Iterator[str]:
    """The text of a string, and of each branch of a choice between strings."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=pieces):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else "X" for one in pieces
            )
        case ast.IfExp(body=body, orelse=orelse):
            yield from render_text(body)
            yield from render_text(orelse)


def list_errors() -> Iterator[type[OperatorError]]:
    """Every error of the package."""
    found = [OperatorError]
    for one in found:
        found.extend(one.__subclasses__())
    yield from found


def build_sentences() -> dict[str, list[str]]:
    """Where they are → the sentences."""
    definitions = {
        kind: list(descriptions_of(build_definition(one.resource)))
        for kind, one in CONTROLLERS.items()
    }
    code = {
        str(path.relative_to(PACKAGE)): list(messages_of(path))
        for room in ROOMS
        for path in sorted((PACKAGE / room).rglob("*.py"))
    }
    runner = {
        str(path.relative_to(ROOT)): list(messages_of(path))
        for path in sorted(RUNNER.rglob("*.py"))
    }
    return {
        "reasons": list(SENTENCES.values()),
        "remedies": list(REMEDIES.values()),
        "actions": [f"{one.sentence} {one.instead}" for one in ACTIONS.values()],
        "errors": [one.remedy for one in list_errors()],
        "chart": list(descriptions_of(json.loads((CHART / "values.schema.json").read_text()))),
        "notes": (CHART / "templates/NOTES.txt").read_text().splitlines(),
        **definitions,
        **code,
        **runner,
    }


SENTENCES_OF = build_sentences()
RUN_ERRORS = frozenset(
    name for name, one in vars(errors).items() if isinstance(one, type) and name != "Reason"
)
FIELDS = (
    "destination.s3.endpoint: ",
    "headers: ",
    "incremental.initialValue ",
    "params.",
    "recordsPath ",
    "tls.ca ",
)
"""Messages of the runner that begin with the name of a field of the spec."""


@pytest.mark.parametrize("place", SENTENCES_OF)
def test_no_sentence_has_a_word_of_the_dialect(place: str) -> None:
    found = [text for text in SENTENCES_OF[place] if DIALECT.search(text)]
    assert found == []


def test_a_word_of_the_dialect_is_found() -> None:
    assert DIALECT.search("The run goes on, and says so.")
    assert not DIALECT.search("The run continues, and its status reports it.")


@pytest.mark.parametrize(
    "place",
    [
        *CONTROLLERS,
        "chart",
        "reconcile/sources/decide.py",
        "reconcile/runs/failures.py",
        "sync_runner/lake/session.py",
        "sync_runner/transport/framing.py",
    ],
)
def test_the_sentences_of_this_place_are_found(place: str) -> None:
    assert len(SENTENCES_OF[place]) >= 5


@pytest.mark.parametrize("place", ["reasons", "remedies", "actions", "errors"])
def test_a_sentence_begins_with_a_capital_letter_and_ends_with_a_full_stop(place: str) -> None:
    assert [text for text in SENTENCES_OF[place] if not re.match(r"[A-Z].*\.$", text.strip())] == []


def test_a_message_that_ends_a_run_begins_with_a_capital_letter_and_ends_with_a_full_stop() -> None:
    found = [text for path in sorted(RUNNER.rglob("*.py")) for text in runner_messages_of(path)]
    assert len(found) >= 60
    odd = [text for text in found if not re.fullmatch(r"[A-Z].*[.X…]", text, re.DOTALL)]
    assert [text for text in odd if not text.startswith(FIELDS)] == []
