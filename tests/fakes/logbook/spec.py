"""A database with a log as a source."""

from external_data_operator.api.base import SpecModel


class LogbookSource(SpecModel):
    """A database that keeps a log."""

    path: str
    """Folder of the database, or its address (`http://…`)."""
    page: int = 3
    """Entries of a batch, at most."""
