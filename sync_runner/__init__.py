"""The runner: reads a source and publishes it as a Delta table; knows nothing of Kubernetes."""
