"""The way to the outside over HTTP: host safety, retries, pace and bounds; the only sleeper."""
