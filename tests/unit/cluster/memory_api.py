"""An API server's objects in memory: enough of server-side apply to see what is taken over."""

import copy

from external_data_operator.errors import AlreadyExistsError, ForbiddenError, NotFoundError


class MemoryApi:
    """Answers the requests that the performer makes, and remembers each write."""

    def __init__(self, *items, forbidden=()):
        """Holds these objects; `forbidden` are pairs of verb and kind."""
        self.items = {}
        self.writes = []
        self.forbidden = set(forbidden)
        for item in items:
            self._put(item)

    async def get(self, kind, namespace, name):
        self._allow("get", kind.kind)
        try:
            return self.items[kind.kind, namespace, name]
        except KeyError:
            raise NotFoundError(f"{kind.kind} {name}", 404) from None

    async def apply(self, manifest):
        self._allow("patch", manifest["kind"])
        self.writes.append(("apply", manifest))
        return self._put(manifest)

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
        meta = {"uid": "u", **item["metadata"], "resourceVersion": str(len(self.writes) + 1)}
        kept = copy.deepcopy({**item, "metadata": meta})
        self.items[_place(item)] = kept
        return kept


def _place(item):
    return item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]
