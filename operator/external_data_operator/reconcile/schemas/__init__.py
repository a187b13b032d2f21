"""What an ExternalDataSchema comes to."""
