"""Which actions an object is asked for and has not carried out, by the table of actions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from external_data_operator.api.actions import Action, list_actions
from external_data_operator.reconcile.base.world import Object, annotations_of


@dataclass(frozen=True)
class ActionRequest:
    """An action that an annotation asks for."""

    action: Action
    token: str
    word: str
    """Under which the status records the token."""


def read_requests(item: Object) -> list[ActionRequest]:
    """What the object's own annotations ask for."""
    notes = annotations_of(item)
    asked = [(one, notes.get(one.annotation)) for one in list_actions(item["kind"])]
    return [ActionRequest(action, token, action.name) for action, token in asked if token]


def read_passed_on(parent: Object, *, word: str) -> list[ActionRequest]:
    """What a parent's annotations ask of those that refer to it; `word` is that of its kind."""
    kind = parent["kind"]
    asked = [one for one in read_requests(parent) if kind in one.action.passed_on]
    return [ActionRequest(one.action, one.token, passed_on(word, one.action.name)) for one in asked]


def passed_on(word: str, name: str) -> str:
    """The word under which a status records an action that its parent passed on."""
    return f"{word}-{name}"


def find_token(item: Object, name: str) -> str:
    """The token of this action; empty if nobody has asked for it."""
    return next((one.token for one in read_requests(item) if one.action.name == name), "")


def find_open(
    requests: Iterable[ActionRequest], handled: Mapping[str, str]
) -> tuple[ActionRequest, ...]:
    """What has not been carried out."""
    return tuple(one for one in requests if handled.get(one.word) != one.token)
