"""Objects in a bucket or a folder, and the only importer of obstore.

Everything above sees one small set of operations with the same promises on both: a put is all or
nothing, a create happens once, a replace happens only to the version that was read.
"""

from sync_runner.storage.objects import ObjectInfo, ObjectStore, Patience, Stored
from sync_runner.storage.opening import open_store

__all__ = ["ObjectInfo", "ObjectStore", "Patience", "Stored", "open_store"]
