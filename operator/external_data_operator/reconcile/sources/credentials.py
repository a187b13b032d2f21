"""The credentials of a source: the operator moves inline ones into a Secret, and waits for those
that the spec refers to.

Values pass through as SecretStr, from the spec into one intent, and nowhere else.
"""

import json

from external_data_operator.api.source import SourceSpec
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.naming import OBJECT_NAME_MAX, hash_of, suffixed
from external_data_operator.reconcile.base.world import (
    CopySecret,
    Data,
    Delete,
    Intent,
    Object,
    StoreCredentials,
    annotations_of,
    name_of,
    namespace_of,
    uid_of,
)
from external_data_operator.reconcile.plans.plan import (
    SourcePlace,
    all_needs,
    default_secret_name,
    destination_copy,
)
from external_data_operator.reconcile.plans.references import (
    S3_KEYS,
    S3_OPTIONAL_KEYS,
    InlineCredential,
    find_inline,
    find_needs,
)
from external_data_operator.reconcile.render.config import render_secret
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.reconcile.sources.owner import own


def credentials_names(source: Object) -> tuple[str, str]:
    """The names that a source's own Secret may have: the plain one, and another one if the plain
    one belongs to another owner."""
    plain = suffixed(name_of(source), "credentials", length_max=OBJECT_NAME_MAX)
    return plain, suffixed(plain, hash_of(uid_of(source)), length_max=OBJECT_NAME_MAX)


def move_inline(observed: ObservedSource, spec: SourceSpec) -> StoreCredentials | None:
    """Moves every inline credential of the spec into a Secret that the source owns."""
    inline = find_inline(spec)
    if not inline:
        return None
    source = observed.source
    name = _free_name(observed)
    owner = own(source)
    return StoreCredentials(
        secret=render_secret(owner, name),
        values={one.key: one.value for one in inline},
        source=source,
        patch=_patch(source, inline, name),
    )


def _free_name(observed: ObservedSource) -> str:
    plain, other = credentials_names(observed.source)
    there = observed.secrets.get(plain)
    ours = there is None or there.owner_uid == uid_of(observed.source)
    return plain if ours else other


def _patch(source: Object, inline: list[InlineCredential], secret: str) -> list[Object]:
    """References in place of values, and only if the source has not changed meanwhile."""
    version = source["metadata"]["resourceVersion"]
    patch: list[Object] = [{"op": "test", "path": "/metadata/resourceVersion", "value": version}]
    for one in inline:
        reference = {"secretKeyRef": {"name": secret, "key": one.key}}
        patch.append({"op": "replace", "path": one.pointer, "value": reference})
    applied = annotations_of(source).get(marks.LAST_APPLIED)
    if applied is not None:
        path = "/metadata/annotations/" + marks.LAST_APPLIED.replace("/", "~1")
        cleaned = _without_values(applied, inline, secret)
        patch.append({"op": "replace", "path": path, "value": cleaned})
    return patch


def _without_values(applied: str, inline: list[InlineCredential], secret: str) -> str:
    """kubectl's last-applied annotation with references in place of values, so that its next apply
    finds no leftover."""
    document = json.loads(applied)
    for one in inline:
        parent = document.get("spec", {})
        try:
            for step in one.location[:-1]:
                parent = parent[step]
            parent[one.location[-1]] = {"secretKeyRef": {"name": secret, "key": one.key}}
        except (KeyError, IndexError, TypeError):
            return json.dumps({**document, "spec": {}})
    return json.dumps(document)


def find_missing_credentials(
    observed: ObservedSource, spec: SourceSpec, place: SourcePlace
) -> str | None:
    """A sentence about the first Secret, ConfigMap or key that the spec refers to and that does not
    exist."""
    for need in find_needs(spec):
        there = observed.secrets if need.kind == "Secret" else observed.config_maps
        lack = _lack(there.get(need.name), need.keys)
        if lack is not None:
            return f"{need.kind} {need.name} {lack}. Create it, or correct {need.location}."
    name = default_secret_name(spec, place.settings)
    if name is None:
        return None
    lack = _lack(observed.default_secret, S3_KEYS)
    if lack is None:
        return None
    return (
        f"Secret {name} in namespace {place.settings.namespace} {lack}. Ask the operator's "
        "administrator to put the credentials of the default destination there."
    )


def _lack(data: Data | None, keys: tuple[str, ...]) -> str | None:
    if data is None:
        return "does not exist"
    missing = [key for key in keys if key not in data.keys]
    return f"has no key {', '.join(missing)}" if missing else None


def copy_default(observed: ObservedSource, spec: SourceSpec, place: SourcePlace) -> list[Intent]:
    """Our copy of the default destination's credentials, if it is missing, old or not ours."""
    name = default_secret_name(spec, place.settings)
    if name is None or observed.default_secret is None:
        return []
    copy = destination_copy(place.source)
    there = observed.secrets.get(copy)
    version = observed.default_secret.version
    ours = there is not None and there.owner_uid == uid_of(observed.source)
    if ours and there is not None and there.copied_from == version:
        return []
    owner = own(observed.source)
    secret = render_secret(owner, copy, {marks.COPIED_FROM: version})
    return [CopySecret(secret, place.settings.namespace, name, (*S3_KEYS, *S3_OPTIONAL_KEYS))]


def versions(observed: ObservedSource, spec: SourceSpec, place: SourcePlace) -> str:
    """The versions of all that the pods mount: another one means another check."""
    found = []
    for need in all_needs(spec, place):
        there = observed.secrets if need.kind == "Secret" else observed.config_maps
        data = there.get(need.name)
        found.append(f"{need.kind}/{need.name}@{data.version if data else ''}")
    return " ".join(found)


def forgotten_secrets(
    observed: ObservedSource, spec: SourceSpec, place: SourcePlace
) -> list[Intent]:
    """Our own Secrets that the spec does not refer to any more."""
    source = observed.source
    referred = {need.name for need in find_needs(spec) if need.kind == "Secret"}
    if default_secret_name(spec, place.settings) is not None:
        referred.add(destination_copy(place.source))
    ours = {*credentials_names(source), destination_copy(place.source)}
    return [
        Delete("v1", "Secret", namespace_of(source), name)
        for name in sorted(ours - referred)
        if (there := observed.secrets.get(name)) and there.owner_uid == uid_of(source)
    ]
