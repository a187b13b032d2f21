"""The log of a table: what it says, and the entries that this writer adds to it."""
