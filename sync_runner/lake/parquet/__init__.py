"""Files of a table, and the parts that become some: read, encoded, measured, staged."""
