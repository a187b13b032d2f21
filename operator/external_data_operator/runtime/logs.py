"""The operator's log: the shape that both processes share, and kopf's own lines brought into it.

kopf hangs the object that a line is about on the record, under a name of its own. The field of a
line that names an object is the word of its kind's controller.
"""

import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields

from external_data_operator.cluster.store import Store
from external_data_operator.logs import Subject, catch_uncaught, set_up
from external_data_operator.reconcile.base.controller import Controller
from external_data_operator.reconcile.base.world import ResourceKey
from external_data_operator.settings import Settings

_QUIET = ("kopf", "aiohttp", "kubernetes")
_FIELDS = frozenset(field.name for field in fields(Subject))


def set_up_logging(settings: Settings, controllers: Mapping[str, Controller]) -> None:
    """Logs to standard error by the settings; libraries log only warnings and errors."""
    set_up(
        sys.stderr.write,
        as_json=settings.log_format == "json",
        level=settings.log_level,
        filters=[KopfSubject(controllers)],
    )
    catch_uncaught()
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))


class KopfSubject(logging.Filter):
    """Reads the subject of kopf's lines from the object that kopf names; lets every line pass."""

    def __init__(self, controllers: Mapping[str, Controller]) -> None:
        """Names objects of these kinds."""
        super().__init__()
        self._controllers = controllers

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        ref = getattr(record, "k8s_ref", None)
        if isinstance(ref, dict):
            key = ResourceKey(
                str(ref.get("kind")), ref.get("namespace") or "", ref.get("name") or ""
            )
            record.subject = _build_subject(key, (), self._controllers)
        return True


class Subjects:
    """What looks are about."""

    def __init__(self, store: Store, controllers: Mapping[str, Controller]) -> None:
        """Finds parents in the store."""
        self._store = store
        self._controllers = controllers

    def find(self, key: ResourceKey) -> Subject:
        """The object of a look and its parent, as far as the store knows it."""
        item = self._store.get(key.kind, key.namespace, key.name)
        parent = None if item is None else self._store.parent_of(item)
        return _build_subject(key, () if parent is None else (parent,), self._controllers)


def _build_subject(
    key: ResourceKey, parents: Iterable[ResourceKey], controllers: Mapping[str, Controller]
) -> Subject:
    known = (one for one in (*parents, key) if one.kind in controllers)
    named = {controllers[one.kind].word: one.name for one in known}
    return Subject(
        namespace=key.namespace or None,
        **{word: name for word, name in named.items() if word in _FIELDS},
    )
