"""The operator: from a manifest to CronJobs, and from their reports back to status."""
