"""Requests to the API server: plain JSON in and out, and its errors as ours.

The generated client gives us connections, certificates and tokens that are read again when they
rotate; its models are not used, because decisions read JSON and the models cost memory and time.
Nothing here logs a body.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from external_data_operator.cluster.kinds import PODS, ApiKind, ApiKinds
from external_data_operator.errors import (
    AlreadyExistsError,
    ClusterError,
    ConflictError,
    FieldConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    StaleError,
)
from external_data_operator.reconcile.base.marks import FIELD_MANAGER
from external_data_operator.reconcile.base.world import Object, name_of, namespace_of

TIMEOUT_S = 30
CHUNK = 500
_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_ERRORS: dict[int, type[ClusterError]] = {
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: ConflictError,
    422: InvalidError,
}
_DETAIL_MAX = 600


class Api:
    """The API server, as far as the operator uses it."""

    def __init__(
        self, client: ApiClient, kinds: ApiKinds, on_answer: Callable[[str, int], None]
    ) -> None:
        """Takes a connected client, see `connect`; `on_answer` receives each method and status."""
        self._client = client
        self._kinds = kinds
        self._on_answer = on_answer

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.close()

    async def get(self, kind: ApiKind, namespace: str, name: str) -> Object:
        """One object. Raises NotFoundError."""
        return await self._call("GET", kind.path(namespace, name))

    async def list_all(
        self,
        kind: ApiKind,
        namespace: str | None,
        selector: str | None = None,
        fields: str | None = None,
    ) -> tuple[list[Object], int]:
        """All objects, read in pieces, and the version of the listing."""
        found: list[Object] = []
        going_on = ""
        while True:
            query = {"limit": str(CHUNK), "labelSelector": selector, "fieldSelector": fields}
            page = await self._call(
                "GET", kind.path(namespace), query={**query, "continue": going_on or None}
            )
            head = {"apiVersion": kind.api_version, "kind": kind.kind}
            found.extend({**head, **item} for item in page.get("items") or [])
            meta = page.get("metadata") or {}
            going_on = meta.get("continue") or ""
            if not going_on:
                return found, int(meta.get("resourceVersion") or 0)

    async def apply(self, manifest: Object, same: Object | None = None) -> Object:
        """Server-side apply; what others hold of the same fields becomes ours. With `same`, only
        to this very version of the object. Raises StaleError."""
        path = self._kind_of(manifest).path(namespace_of(manifest), name_of(manifest))
        body = manifest if same is None else _bound_to(same, manifest)
        try:
            return await self._call("PATCH", path, body=body, content=_APPLY, query=_FORCE)
        except FieldConflictError:
            raise
        except ConflictError as error:
            if same is None:
                raise
            raise StaleError(str(error), error.status) from None

    async def apply_status(self, item: Object, status: Object) -> Object:
        """Server-side apply of a status in full, to this very object and not to a later one of its
        name. Raises ConflictError."""
        path = self._kind_of(item).path(namespace_of(item), name_of(item), "status")
        same = ("name", "namespace", "uid")
        body = {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "metadata": {key: item["metadata"][key] for key in same},
            "status": status,
        }
        return await self._call("PATCH", path, body=body, content=_APPLY, query=_FORCE)

    async def create(self, manifest: Object) -> Object:
        """Creates. Raises AlreadyExistsError."""
        path = self._kind_of(manifest).path(namespace_of(manifest))
        return await self._call("POST", path, body=manifest, query=_MANAGER)

    async def merge(self, kind: ApiKind, namespace: str, name: str, patch: Object) -> Object:
        """Merge patch. Raises NotFoundError."""
        path = kind.path(namespace, name)
        return await self._call("PATCH", path, body=patch, content=_MERGE, query=_MANAGER)

    async def json_patch(self, item: Object, patch: list[Object]) -> Object:
        """JSON patch. Raises StaleError where one of its tests fails."""
        path = self._kind_of(item).path(namespace_of(item), name_of(item))
        try:
            return await self._call(
                "PATCH", path, body=patch, content=_JSON_PATCH, query=_MANAGER, discreet=True
            )
        except InvalidError as error:
            raise StaleError("another client changed the object", error.status) from None

    async def delete(self, kind: ApiKind, namespace: str, name: str, uid: str | None) -> None:
        """Deletes, and everything below it in the background; only this very object where `uid` is
        given."""
        body: Object = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
        }
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        await self._call("DELETE", kind.path(namespace, name), body=body)

    async def log(
        self, namespace: str, pod: str, *, bytes_max: int, lines: int | None = None
    ) -> str:
        """A pod's standard output."""
        query = {"limitBytes": str(bytes_max), "tailLines": None if lines is None else str(lines)}
        data = await self._raw("GET", PODS.path(namespace, pod, "log"), query=query)
        return data.decode(errors="replace")

    def _kind_of(self, item: Object) -> ApiKind:
        return self._kinds.get(item["kind"])

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: str = _JSON,
        query: dict[str, str | None] | None = None,
        discreet: bool = False,
    ) -> Object:
        data = await self._raw(
            method, path, body=body, content=content, query=query, discreet=discreet
        )
        try:
            answer: Object = json.loads(data)
        except json.JSONDecodeError:
            raise ClusterError(f"{method} {path}: the response is not JSON") from None
        return answer

    async def _raw(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: str = _JSON,
        query: dict[str, str | None] | None = None,
        discreet: bool = False,
    ) -> bytes:
        pairs = [(key, value) for key, value in (query or {}).items() if value is not None]
        try:
            verb, url, headers, sent, form = await self._client.param_serialize(
                method,
                path,
                query_params=pairs,
                header_params={"Content-Type": content, "Accept": _JSON},
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = await self._client.call_api(
                verb, url, headers, sent, form, _request_timeout=TIMEOUT_S
            )
            data: bytes = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._on_answer(method, 0)
            raise ClusterError(f"{method} {path}: no response ({type(error).__name__})") from None
        self._on_answer(method, answer.status)
        if not 200 <= answer.status <= 299:
            secret = discreet or "/secrets" in path
            raise _error(answer.status, f"{method} {path}", b"" if secret else data)
        return data


_MANAGER: dict[str, str | None] = {"fieldManager": FIELD_MANAGER}
_FORCE: dict[str, str | None] = {**_MANAGER, "force": "true"}


def _bound_to(same: Object, manifest: Object) -> Object:
    """The manifest with preconditions. The uid is one of them, because without it the apply would
    create an object that was deleted."""
    bound = {key: same["metadata"][key] for key in ("uid", "resourceVersion")}
    return {**manifest, "metadata": {**manifest["metadata"], **bound}}


def _is_of_fields(told: object) -> bool:
    """Whether a 409 is about who owns a field, and not about the version of the object."""
    details = told.get("details") if isinstance(told, dict) else None
    causes = details.get("causes") if isinstance(details, dict) else None
    return any(
        isinstance(one, dict) and one.get("reason") == "FieldManagerConflict"
        for one in causes or []
    )


def _error(status: int, what: str, body: bytes) -> ClusterError:
    """Ours for theirs; the server's sentence only where no credential can be in it."""
    try:
        told = json.loads(body) if body else {}
    except json.JSONDecodeError:
        told = {}
    reason = str(told.get("reason", "")) if isinstance(told, dict) else ""
    detail = str(told.get("message", "")) if isinstance(told, dict) else ""
    type_ = _ERRORS.get(status, ClusterError)
    if status == 409 and (reason == "AlreadyExists" or what.startswith("POST")):
        type_ = AlreadyExistsError
    elif status == 409 and _is_of_fields(told):
        type_ = FieldConflictError
    said = f": {detail[:_DETAIL_MAX]}" if detail else ""
    return type_(f"{what}: {status} {reason}{said}".strip(), status)


async def connect_api(kinds: ApiKinds, on_answer: Callable[[str, int], None]) -> Api:
    """The API server of the pod's own cluster, else that of KUBECONFIG. Raises ClusterError."""
    configuration = Configuration()
    inside = await asyncio.to_thread(_TOKEN.exists)
    try:
        if inside:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(client_configuration=configuration)
    except config.ConfigException as error:
        raise ClusterError(f"no cluster is configured: {error}") from None
    return Api(ApiClient(configuration), kinds, on_answer)
