"""Manifests from files: our two kinds as models, Secrets and ConfigMaps as keys, and the
problems of each, by field."""

import base64
import binascii
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from external_data_operator.api.base import ApiModel
from external_data_operator.api.meta import API_GROUP, GROUP_VERSION, ObjectName
from external_data_operator.api.problems import Problem, find_problems
from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import SourceSpec
from external_data_operator.cli.yamltext import YamlDocument, YamlTextError, parse_yaml
from external_data_operator.controllers import CONTROLLERS

STDIN = "-"
DEFAULT_NAMESPACE = "default"
_TOP_LEVEL = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105
_TOKEN_SECRET_KEYS = ("token", "ca.crt", "namespace")
"""What Kubernetes itself puts into such a Secret."""
_NAME: TypeAdapter[str] = TypeAdapter(ObjectName)

_Spec = TypeVar("_Spec", bound=ApiModel)


class _Metadata(ApiModel):
    """The name of an object in a manifest."""

    name: Any = None
    namespace: Any = None

    @property
    def shown(self) -> str:
        """The name in messages, also where there is none."""
        return str(self.name or "?")

    @property
    def space(self) -> str:
        """The namespace, also where none is written."""
        return str(self.namespace or DEFAULT_NAMESPACE)


class _Head(ApiModel):
    """What every manifest has, of whatever type: rules and not types say what is wrong with it."""

    api_version: Any = None
    kind: Any = None
    metadata: Annotated[
        _Metadata, BeforeValidator(lambda given: given if isinstance(given, dict) else {})
    ] = Field(default_factory=_Metadata)


@dataclass(frozen=True)
class ManifestFinding:
    """One problem and its position in a file."""

    file: str
    line: int
    resource: str
    """`Kind/name`; empty where the file itself is the trouble."""
    problem: Problem

    def __str__(self) -> str:
        subject = f"{self.resource}: " if self.resource else ""
        return f"{self.file}:{self.line}: {subject}{self.problem}"


@dataclass(frozen=True)
class ManifestOrigin:
    """Where a resource was written, for what is found out later."""

    file: str
    document: YamlDocument
    kind: str
    name: str
    namespace: str

    def report(self, problem: Problem) -> ManifestFinding:
        """The problem with its line."""
        line = self.document.find_line(problem.location)
        return ManifestFinding(self.file, line, f"{self.kind}/{self.name}", problem)


@dataclass(frozen=True)
class SourceManifest:
    """A source that is valid in itself."""

    origin: ManifestOrigin
    spec: SourceSpec

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.origin.namespace, self.origin.name


@dataclass(frozen=True)
class SchemaManifest:
    """A schema that is valid in itself."""

    origin: ManifestOrigin
    spec: SchemaSpec


@dataclass(frozen=True)
class DataManifest:
    """A Secret or ConfigMap."""

    origin: ManifestOrigin
    values: dict[str, bytes] = field(repr=False)
    keys: frozenset[str]
    """Those of the manifest, and those that the cluster fills in."""


@dataclass
class Manifests:
    """All that the files hold."""

    sources: list[SourceManifest] = field(default_factory=list)
    schemas: list[SchemaManifest] = field(default_factory=list)
    secrets: list[DataManifest] = field(default_factory=list)
    config_maps: list[DataManifest] = field(default_factory=list)
    findings: list[ManifestFinding] = field(default_factory=list)
    others: int = 0
    """Resources of kinds that are not ours to judge."""


def read_manifests(paths: Iterable[str]) -> Manifests:
    """Files, folders (their *.yaml and *.yml), or `-` for standard input."""
    manifests = Manifests()
    for path in paths:
        for name, text in _read_texts(path, manifests):
            _add_text(manifests, name, text)
    return manifests


def _read_texts(path: str, manifests: Manifests) -> Iterator[tuple[str, str]]:
    files = _list_files(Path(path)) if path != STDIN else [Path(path)]
    for file in files:
        try:
            text = sys.stdin.read() if path == STDIN else file.read_text(encoding="utf-8")
        except OSError as error:
            manifests.findings.append(_about_file(str(file), 1, error.strerror or "unreadable"))
        except UnicodeDecodeError:
            manifests.findings.append(_about_file(str(file), 1, "is not UTF-8 text"))
        else:
            yield str(file), text


def _list_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml"))


def _about_file(file: str, line: int, message: str) -> ManifestFinding:
    return ManifestFinding(file, line, "", Problem((), message))


def _add_text(manifests: Manifests, file: str, text: str) -> None:
    try:
        documents = parse_yaml(text)
    except YamlTextError as error:
        manifests.findings.append(_about_file(file, error.line, f"is not YAML: {error}"))
        return
    for document in documents:
        _add_document(manifests, file, document)


def _add_document(manifests: Manifests, file: str, document: YamlDocument) -> None:
    head = _Head.model_validate(document.data) if isinstance(document.data, dict) else None
    if head is None or not isinstance(head.kind, str):
        line = document.find_line(())
        manifests.findings.append(_about_file(file, line, "is not a manifest: kind is missing"))
        return
    for location, line in document.find_repeated_keys():
        problem = Problem(location, "is set twice")
        manifests.findings.append(ManifestFinding(file, line, head.kind, problem))
    origin = ManifestOrigin(file, document, head.kind, head.metadata.shown, head.metadata.space)
    version = str(head.api_version)
    if version.startswith(f"{API_GROUP}/") or head.kind in CONTROLLERS:
        _add_ours(manifests, origin, head)
    elif (version, head.kind) == ("v1", "Secret"):
        _add_data(manifests, manifests.secrets, origin)
    elif (version, head.kind) == ("v1", "ConfigMap"):
        _add_data(manifests, manifests.config_maps, origin)
    else:
        manifests.others += 1


def _add_ours(manifests: Manifests, origin: ManifestOrigin, head: _Head) -> None:
    problems = list(_find_header_problems(head, origin.document))
    controller = CONTROLLERS.get(origin.kind)
    if controller is not None:
        spec = _parse_spec(origin.document.data, controller.resource.spec, problems)
        if isinstance(spec, SourceSpec):
            manifests.sources.append(SourceManifest(origin, spec))
        elif isinstance(spec, SchemaSpec):
            manifests.schemas.append(SchemaManifest(origin, spec))
        elif spec is not None:
            manifests.others += 1
    manifests.findings += [origin.report(problem) for problem in problems]


def _find_header_problems(head: _Head, document: YamlDocument) -> Iterator[Problem]:
    if head.api_version != GROUP_VERSION:
        yield Problem(("apiVersion",), f"must be {GROUP_VERSION}")
    if head.kind not in CONTROLLERS:
        yield Problem(("kind",), f"must be {' or '.join(CONTROLLERS)}")
    for key in set(document.data) - _TOP_LEVEL:
        yield Problem((str(key),), "is not a known field")
    try:
        _NAME.validate_python(head.metadata.name, strict=True)
    except ValidationError:
        yield Problem(("metadata", "name"), "must be a lower-case DNS name")


def _parse_spec(data: dict[str, Any], model: type[_Spec], problems: list[Problem]) -> _Spec | None:
    """As strictly as the API server: a number in quotes is not a number."""
    spec = data.get("spec")
    if not isinstance(spec, dict):
        problems.append(Problem(("spec",), "is required" if spec is None else "must be an object"))
        return None
    try:
        return model.model_validate_json(json.dumps(_prune_nulls(spec)), strict=True)
    except ValidationError as error:
        problems += find_problems(error, below=("spec",))
        return None


def _prune_nulls(value: Any) -> Any:
    """Without null members, which the API server prunes too."""
    if isinstance(value, dict):
        return {key: _prune_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_prune_nulls(inner) for inner in value] if isinstance(value, list) else value


def _add_data(manifests: Manifests, into: list[DataManifest], origin: ManifestOrigin) -> None:
    data = origin.document.data
    values: dict[str, bytes] = {}
    encoded = ("data", "binaryData") if origin.kind == "ConfigMap" else ("data",)
    plain = "data" if origin.kind == "ConfigMap" else "stringData"
    for section in {*encoded, plain}:
        members = data.get(section) or {}
        if not isinstance(members, dict):
            manifests.findings.append(origin.report(Problem((section,), "must be an object")))
            continue
        for key, value in members.items():
            found = _decode(value, is_plain=section == plain)
            if found is None:
                problem = Problem((section, str(key)), "must be text, in base64 under data")
                manifests.findings.append(origin.report(problem))
            else:
                values[str(key)] = found
    filled = _TOKEN_SECRET_KEYS if data.get("type") == _TOKEN_SECRET else ()
    into.append(DataManifest(origin, values, frozenset({*values, *filled})))


def _decode(value: Any, *, is_plain: bool) -> bytes | None:
    if not isinstance(value, str):
        return None
    if is_plain:
        return value.encode()
    try:
        return base64.b64decode(value, validate=False)
    except (binascii.Error, ValueError):
        return None
