"""The specs of the kinds of source, one file each."""
