"""A real Kubernetes cluster and a real S3 bucket on one machine, for the demo and for tests.

Standard library only: it works before any environment is installed.
"""
