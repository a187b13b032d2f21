"""What is wrong with a spec, by field, in words that hold no value of the spec."""

from dataclasses import dataclass

from pydantic import ValidationError

_PLAIN = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    location: tuple[str | int, ...]
    """Keys and indexes that lead there."""
    message: str

    @property
    def path(self) -> str:
        """The location as Kubernetes writes it: `rest.streams[0].name`."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.location)
        return "".join(steps).removeprefix(".")

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.location else self.message


def find_problems(error: ValidationError, *, below: tuple[str | int, ...] = ()) -> list[Problem]:
    """All of them, in the order of the document; `below` goes before each location."""
    return [
        Problem((*below, *_strip_markers(found["loc"])), _say(found["type"], found["msg"]))
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _strip_markers(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Without pydantic's own word for the key of a map."""
    return tuple(step for step in location if step != "[key]")


def _say(kind: str, message: str) -> str:
    return _PLAIN.get(kind) or message.removeprefix("Value error, ")
