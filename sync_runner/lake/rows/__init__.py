"""What becomes of the rows that are there: keys, merges, rows that come again, columns."""
