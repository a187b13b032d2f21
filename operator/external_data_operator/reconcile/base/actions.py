"""The actions that annotations request, and those that the operator has not handled yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from external_data_operator.api.actions import ACTIONS, Action, explain_unsupported, list_actions
from external_data_operator.api.plan import Task
from external_data_operator.reconcile.base.world import Note, Object, annotations_of


@dataclass(frozen=True)
class ActionRequest:
    """An action that an annotation requests."""

    action: Action
    token: str
    word: str
    """Key under which the status records the token."""


def read_requests(item: Object) -> list[ActionRequest]:
    """The requests in the object's own annotations."""
    return _read(item, list_actions(item["kind"]))


def read_unsupported(item: Object) -> list[ActionRequest]:
    """Requests for actions that objects of this kind do not take."""
    supported = list_actions(item["kind"])
    return _read(item, [one for one in ACTIONS.values() if one not in supported])


def _read(item: Object, actions: Iterable[Action]) -> list[ActionRequest]:
    notes = annotations_of(item)
    asked = [(one, notes.get(one.annotation)) for one in actions]
    return [ActionRequest(action, token, action.name) for action, token in asked if token]


def answer_unsupported(
    item: Object, handled: Mapping[str, str]
) -> tuple[dict[str, str], list[Note]]:
    """What is handled after the warnings, and a warning for each new unsupported request.

    Such a request counts as handled, so that it has one warning, and so that a later version, which
    supports the action, does not run a request that is months old.
    """
    new: Sequence[ActionRequest] = find_open(read_unsupported(item), handled)
    notes = [
        Note("Warning", "ActionUnsupported", explain_unsupported(one.action, item["kind"]))
        for one in new
    ]
    return {**handled, **{one.word: one.token for one in new}}, notes


def read_passed_on(parent: Object, *, word: str) -> list[ActionRequest]:
    """The requests that a parent passes on to the objects that refer to it; `word` is that of its
    kind."""
    kind = parent["kind"]
    asked = [one for one in read_requests(parent) if kind in one.action.passed_on]
    return [ActionRequest(one.action, one.token, passed_on(word, one.action.name)) for one in asked]


def passed_on(word: str, name: str) -> str:
    """The key under which a status records an action that its parent passed on."""
    return f"{word}-{name}"


def read_own(item: Object, task: Task) -> list[ActionRequest]:
    """The requests for a task that the object runs itself."""
    own = _list_own(item["kind"], task)
    return [one for one in read_requests(item) if one.action in own]


def find_token(item: Object, task: Task) -> str:
    """What one run of this task answers: the tokens of its actions; empty if none is requested."""
    return " ".join(one.token for one in read_own(item, task))


def find_handled_token(item: Object, task: Task, handled: Mapping[str, str]) -> str:
    """The same of the requests that were handled."""
    tokens = [handled.get(one.name) for one in _list_own(item["kind"], task)]
    return " ".join(token for token in tokens if token)


def _list_own(kind: str, task: Task) -> list[Action]:
    return [one for one in list_actions(kind) if one.runs is task and kind not in one.passed_on]


def find_open(
    requests: Iterable[ActionRequest], handled: Mapping[str, str]
) -> tuple[ActionRequest, ...]:
    """The requests that are not handled."""
    return tuple(one for one in requests if handled.get(one.word) != one.token)
