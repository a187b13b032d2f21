"""Objects in a bucket or a folder, and the only importer of obstore.

Other rooms see one small set of operations with the same guarantees on both: a put is atomic, a
create succeeds once, a replace succeeds only for the version that was read.
"""

from sync_runner.storage.objects import ObjectInfo, ObjectStore, Patience, Stored
from sync_runner.storage.opening import open_store

__all__ = ["ObjectInfo", "ObjectStore", "Patience", "Stored", "open_store"]
