"""Names of children and tables: deterministic, so that a repeated decision finds its own objects
again.

A name that is too long is cut and gets a hash of the whole, so that two long names never meet.
"""

import hashlib
import re

CRONJOB_NAME_MAX = 52
"""A CronJob's Jobs and their pods append up to 11 characters, and 63 is the end."""
JOB_NAME_MAX = 58
"""A Job's pods append 6 characters."""
OBJECT_NAME_MAX = 253
LABEL_MAX = 63
_HASH = 8


def hash_of(*parts: str, length: int = _HASH) -> str:
    """A short, stable name for these parts, in their order."""
    digest = hashlib.sha256("\x00".join(parts).encode())
    return digest.hexdigest()[:length]


def cut(name: str, length_max: int) -> str:
    """The name itself where it fits, else its beginning and a hash of the whole."""
    if len(name) <= length_max:
        return name
    head = name[: length_max - _HASH - 1].rstrip("-.")
    return f"{head}-{hash_of(name)}"


def label_value(name: str) -> str:
    """The name as a label's value, which ends at 63 characters."""
    return cut(name, LABEL_MAX)


def suffixed(name: str, suffix: str, *, length_max: int) -> str:
    """`<name>-<suffix>`, of which the name is cut where it must be."""
    return f"{cut(name, length_max - len(suffix) - 1)}-{suffix}"


def job_name(name: str, uid: str, *tokens: str) -> str:
    """The one name of the Job that this object wants for these tokens."""
    return suffixed(name, hash_of(uid, *tokens), length_max=JOB_NAME_MAX)


def slug(text: str) -> str:
    """The text as part of an object's name: lower case, digits and single dashes."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain or "x"


def table_name(prefix: str, stream: str) -> str:
    """The table of a stream: the prefix and the stream in snake case."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", stream)
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", spaced)
    return prefix + (re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_") or "x")


def schema_names(source: str, streams: list[str], taken: set[str]) -> dict[str, str]:
    """A schema's name for each stream: `<source>-<stream>`, hashed where it is long, taken or
    wanted twice."""
    plain = {stream: f"{source}-{slug(stream)}" for stream in streams}
    wanted = list(plain.values())
    names = {}
    for stream, name in plain.items():
        unique = wanted.count(name) == 1 and name not in taken
        if unique and len(name) <= CRONJOB_NAME_MAX:
            names[stream] = name
        else:
            suffix = hash_of(source, stream)
            names[stream] = suffixed(name, suffix, length_max=CRONJOB_NAME_MAX)
    return names
