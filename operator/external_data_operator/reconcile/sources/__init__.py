"""The reconcile of ExternalDataSource."""
