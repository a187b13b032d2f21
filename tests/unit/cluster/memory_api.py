"""An API server's objects in memory: enough of server-side apply to see what is taken over."""

import copy

from external_data_operator.errors import (
    AlreadyExistsError,
    ForbiddenError,
    NotFoundError,
    StaleError,
)


class MemoryApi:
    """Answers the requests that the performer makes, and remembers each write."""

    def __init__(self, *items, forbidden=()):
        """Holds these objects; `forbidden` are pairs of verb and kind."""
        self.items = {}
        self.writes = []
        self.version = 0
        self.before_apply = lambda: None
        """Called before each apply is judged: what somebody else does meanwhile."""
        self.forbidden = set(forbidden)
        for item in items:
            self._put(item)

    async def get(self, kind, namespace, name):
        self._allow("get", kind.kind)
        try:
            return self.items[kind.kind, namespace, name]
        except KeyError:
            raise NotFoundError(f"{kind.kind} {name}", 404) from None

    async def apply(self, manifest, same=None):
        self._allow("patch", manifest["kind"])
        self.before_apply()
        there = self.items.get(_place(manifest))
        if same is not None and (there is None or _version(there) != _version(same)):
            raise StaleError("the object has been modified", 409)
        self.writes.append(("apply", manifest))
        return self._put(manifest if there is None else _taking_over(there, manifest))

    def edit(self, kind, namespace, name, **spec):
        """A person sets fields of the spec, and owns them from then on."""
        edited = copy.deepcopy(self.items[kind, namespace, name])
        edited["spec"] |= spec
        owned = {"f:spec": {f"f:{key}": {} for key in spec}}
        edited["metadata"]["managedFields"] = [{"manager": "kubectl-patch", "fieldsV1": owned}]
        return self._put(edited)

    def report(self, kind, namespace, name, **status):
        """Somebody writes the status."""
        written = copy.deepcopy(self.items[kind, namespace, name])
        wrote = {"manager": "external-data-operator", "subresource": "status"}
        written["metadata"].setdefault("managedFields", []).append(wrote)
        return self._put({**written, "status": status})

    def owners(self, kind, namespace, name):
        """Which fields of the spec people own."""
        entries = self.items[kind, namespace, name]["metadata"].get("managedFields", [])
        return {key for one in entries for key in one.get("fieldsV1", {}).get("f:spec", {})}

    async def create(self, manifest):
        self._allow("create", manifest["kind"])
        if _place(manifest) in self.items:
            raise AlreadyExistsError("it is there", 409)
        self.writes.append(("create", manifest))
        return self._put(manifest)

    async def merge(self, kind, namespace, name, patch):
        self._allow("patch", kind.kind)
        self.writes.append(("merge", patch))
        return self._put({**self.items[kind.kind, namespace, name], **patch})

    async def json_patch(self, item, patch):
        version = self.items.get(_place(item), item)["metadata"]["resourceVersion"]
        if any(one["op"] == "test" and one["value"] != version for one in patch):
            raise StaleError("another client changed the object", 422)
        self.writes.append(("json_patch", patch))
        return self._put(item)

    async def apply_status(self, item, status):
        self.writes.append(("status", status))
        return self._put({**item, "status": status})

    async def delete(self, kind, namespace, name, uid):
        self._allow("delete", kind.kind)
        self.writes.append(("delete", name))
        self.items.pop((kind.kind, namespace, name), None)

    def _allow(self, verb, kind):
        if (verb, kind) in self.forbidden:
            raise ForbiddenError(f"cannot {verb} {kind}", 403)

    def _put(self, item):
        self.version += 1
        meta = {"uid": "u", **item["metadata"], "resourceVersion": str(self.version)}
        kept = copy.deepcopy({**item, "metadata": meta})
        self.items[_place(item)] = kept
        return kept


def _taking_over(there, manifest):
    """The manifest, and what others hold of the object besides. Fields of the manifest are no
    longer theirs, as the apply is forced."""
    others = copy.deepcopy(there["metadata"].get("managedFields", []))
    kept = {}
    for entry in others:
        owned = entry.get("fieldsV1", {}).get("f:spec", {})
        for key in list(owned):
            if key.removeprefix("f:") in manifest["spec"]:
                del owned[key]
            else:
                kept[key.removeprefix("f:")] = there["spec"][key.removeprefix("f:")]
    changed = {**manifest, "metadata": {**manifest["metadata"], "managedFields": others}}
    return {**changed, "spec": {**manifest["spec"], **kept}} if kept else changed


def _version(item):
    return item["metadata"]["uid"], item["metadata"]["resourceVersion"]


def _place(item):
    return item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]
