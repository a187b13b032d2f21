"""What an ExternalDataSource comes to."""
