"""The rows of a table in a commit: keys, merges, rows that are read again, columns."""
