"""Access to the API server, and the only importer of its client: observe, apply, read logs,
write events."""
