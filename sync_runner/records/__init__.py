"""Pure work on records: where they are in a body, and how they become the columns of a table.

Nothing here talks to the network or to storage, so that every source and every test can use it.
"""
