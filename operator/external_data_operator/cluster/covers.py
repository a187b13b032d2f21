"""Whether an object already matches a manifest, so that nothing is written if nothing differs.

A field that a manifest no longer has must be removed, and the object alone does not show which
fields were ours. So each object carries a hash of the manifest that it was written from.
"""

import json
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.naming import hash_of
from external_data_operator.reconcile.base.world import Object, annotations_of


def stamp(manifest: Object) -> Object:
    """The manifest with its own hash among its annotations."""
    rendered = hash_of(json.dumps(manifest, sort_keys=True), length=16)
    notes = {**annotations_of(manifest), marks.RENDERED: rendered}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": notes}}


def same_but_status(live: Object, seen: Object) -> bool:
    """Whether nobody has changed the object since it was seen, apart from its status, which other
    looks of ours write, and no decision about a forced apply reads."""
    return _without_status(live) == _without_status(seen)


def _without_status(item: Object) -> Object:
    meta = {**item["metadata"], "resourceVersion": None}
    managers = meta.get("managedFields") or []
    meta["managedFields"] = [one for one in managers if one.get("subresource") != "status"]
    return {**item, "metadata": meta, "status": None}


def covers(live: Any, wanted: Any) -> bool:
    """Whether every field of the manifest has its value; defaults that the server added do not
    count, nor how it writes a quantity."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            key in live and covers(live[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(live) == len(wanted)
            and all(covers(one, other) for one, other in zip(live, wanted, strict=True))
        )
    return bool(live == wanted) or _same_quantity(live, wanted)


def _same_quantity(live: Any, wanted: Any) -> bool:
    """The server writes 0.5 as 500m."""
    if not (isinstance(live, str) and isinstance(wanted, str)):
        return False
    try:
        return bool(parse_quantity(live) == parse_quantity(wanted))
    except (ValueError, ArithmeticError):
        return False
