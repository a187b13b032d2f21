"""Whether an object already is what a manifest wants, so that nothing is written when nothing
differs."""

from typing import Any


def covers(live: Any, wanted: Any) -> bool:
    """Whether every field of the manifest has its value; defaults that the server added do not
    count."""
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
    return bool(live == wanted)
