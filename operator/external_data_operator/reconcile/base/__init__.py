"""What knows no kind of object: the world as values, names, conditions, parsing, actions."""
