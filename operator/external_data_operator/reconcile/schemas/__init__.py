"""The reconcile of ExternalDataSchema."""
