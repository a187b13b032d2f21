"""Decides whether a full refresh may leave a table with much fewer rows.

With a revoked scope or a mistyped filter, a source answers with success and few rows. Such a
refresh would empty the table, so that a person has to agree first.
"""

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError

GUARDED_ROWS_MIN = 100
"""Smaller tables may lose any number of rows."""


def check_shrink(before: int, after: int, *, percent: int | None) -> None:
    """ConfigurationError(TableWouldShrink) if the table would keep too few of its rows: zero, or
    less than `percent` of them."""
    too_few = after == 0 if percent is None else after * 100 < before * percent
    if before < GUARDED_ROWS_MIN or not too_few:
        return
    message = (
        f"The full refresh would leave {after:,} of the table's {before:,} rows, so it was held "
        "back and nothing was changed. Check what the source returns. If the table is to shrink, "
        "annotate the schema with external-data.io/allow-shrink and any new value, or run "
        "external-data run --allow-shrink."
    )
    raise ConfigurationError(Reason.TABLE_WOULD_SHRINK, message)
