"""The log of a table: its contents, and the entries that this writer adds to it."""
