"""HTTP over `network`: requests and responses, authentication, retries, pace and bounds; the only
sleeper."""
