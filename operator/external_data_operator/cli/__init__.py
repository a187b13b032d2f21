"""`external-data` and `kubectl external-data`: the same models and the same runner, for people."""
