"""Plans for the runner, and what they need of the cluster."""
