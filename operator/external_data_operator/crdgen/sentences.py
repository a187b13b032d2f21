"""The sentence under each field of a model, read from its source.

Pydantic would do this for every process that imports the models, and a runner spends a seventh of
its start on it; only the pages that are generated need them.
"""

import ast
import inspect
import textwrap
from itertools import pairwise

from external_data_operator.api.base import ApiModel


def read_sentences(model: type[ApiModel]) -> dict[str, str]:
    """By field name; a class that repeats a field of its base has the last word."""
    sentences: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, ApiModel):
            sentences |= _read_own(cls)
    return sentences


def _read_own(cls: type[ApiModel]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(tree, ast.ClassDef), "the source of a class is a class"
    found = {}
    for field, sentence in pairwise(tree.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match sentence:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[field.target.id] = inspect.cleandoc(text)
    return found
