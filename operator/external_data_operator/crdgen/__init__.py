"""Build time: from the models to the custom resource definitions and the reference pages."""
