"""The operator's log: the shape that both processes share, and kopf's own lines brought into it.

kopf hangs the object that a line is about on the record, under a name of its own.
"""

import logging
import sys

from external_data_operator.cluster.kinds import SCHEMA, SOURCE
from external_data_operator.cluster.store import Key, Store, source_of
from external_data_operator.logs import Subject, catch_uncaught, set_up
from external_data_operator.settings import Settings

_QUIET = ("kopf", "aiohttp", "kubernetes")


def set_up_logging(settings: Settings) -> None:
    """Logs to standard error as the settings say; the libraries only from warnings on."""
    set_up(
        sys.stderr.write,
        as_json=settings.log_format == "json",
        level=settings.log_level,
        filters=[KopfSubject()],
    )
    catch_uncaught()
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))


class KopfSubject(logging.Filter):
    """Reads the subject of kopf's lines from the object that kopf names; lets every line pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        ref = getattr(record, "k8s_ref", None)
        if isinstance(ref, dict):
            name = ref.get("name")
            record.subject = Subject(
                namespace=ref.get("namespace"),
                source=name if ref.get("kind") == SOURCE else None,
                schema=name if ref.get("kind") == SCHEMA else None,
            )
        return True


def find_subject(key: Key, store: Store) -> Subject:
    """Source and schema of a look, as far as the store knows them."""
    if key.kind == SOURCE:
        return Subject(key.namespace, key.name)
    schema = store.get(key.kind, key.namespace, key.name)
    source = None if schema is None else source_of(schema)
    return Subject(key.namespace, None if source is None else source.name, key.name)
