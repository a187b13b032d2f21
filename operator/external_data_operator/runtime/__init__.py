"""From an event to one look at one object: the only importer of kopf, the queue, and the
endpoints."""
