"""YAML as kubectl reads it, with the line of each value.

Scalars resolve as in the API machinery: a date and a time of day stay text, `1e3` is a number, and
a key that is twice in one mapping is an error, instead of the last one winning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

YamlPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Plain data only, and no base-60 numbers or time stamps."""


_INT = re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]+)$")
_FLOAT = re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan)$"
)
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag.rsplit(":", 1)[1] not in ("int", "float", "timestamp")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


class YamlTextError(Exception):
    """The text is not YAML; the message names the position."""

    def __init__(self, line: int, message: str) -> None:
        """`line` counts from 1."""
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class YamlDocument:
    """One document: its data, and the position of each part."""

    data: Any
    node: yaml.Node

    def find_line(self, location: YamlPath) -> int:
        """The line of the value there, or of the innermost part that exists; counts from 1."""
        node: yaml.Node | None = self.node
        line = self.node.start_mark.line
        for step in location:
            key, node = _find_child(node, step)
            if node is None:
                break
            line = (key or node).start_mark.line
        return int(line) + 1

    def find_repeated_keys(self) -> Iterator[tuple[YamlPath, int]]:
        """Keys that are twice in one mapping, and the line of the second."""
        yield from _find_repeated(self.node, ())


def parse_yaml(text: str) -> list[YamlDocument]:
    """The documents that hold something. Raises YamlTextError."""
    loader = _Loader(text)
    documents = []
    try:
        while loader.check_node():
            node = loader.get_node()
            data = None if node is None else loader.construct_document(node)
            if node is not None and data is not None:
                documents.append(YamlDocument(data, node))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlTextError(mark.line + 1 if mark else 1, str(error.problem)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlTextError(1, str(error).splitlines()[0]) from None
    finally:
        loader.dispose()
    return documents


def _find_child(
    node: yaml.Node | None, step: str | int
) -> tuple[yaml.Node | None, yaml.Node | None]:
    """A member of a node, and the node of its key where it has one."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None, None


def _find_repeated(node: yaml.Node, location: YamlPath) -> Iterator[tuple[YamlPath, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = (*location, str(key.value))
            if key.value in seen:
                yield here, key.start_mark.line + 1
            seen.add(key.value)
            yield from _find_repeated(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _find_repeated(value, (*location, index))
