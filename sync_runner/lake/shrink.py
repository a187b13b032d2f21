"""Whether a full refresh may replace a table by so much less.

A revoked scope or a mistyped filter leaves a source that answers with success and few rows. What
was right for such a source would empty the table, so that a person has to agree first.
"""

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError

GUARDED_ROWS_MIN = 100
"""Smaller tables come and go."""


def check_shrink(before: int, after: int, *, percent: int | None) -> None:
    """ConfigurationError(TableWouldShrink) if the table would keep too few of its rows: none, or
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
