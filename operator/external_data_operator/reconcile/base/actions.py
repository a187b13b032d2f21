"""The words under which a status records the actions that were carried out."""

RELOAD = "reload"
SOURCE_RELOAD = "source-reload"
"""Under this word a schema records that it has carried out its source's reload."""
REFRESH = "refresh-schemas"
ALLOW_SHRINK = "allow-shrink"
