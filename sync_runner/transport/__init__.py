"""HTTP over `network`: requests and responses, authentication, retries, rate and limits. Nothing
else in the runner sleeps."""
