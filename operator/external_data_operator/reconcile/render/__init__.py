"""Manifests: the only place where Kubernetes objects are spelled."""
