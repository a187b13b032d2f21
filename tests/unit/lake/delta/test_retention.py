"""How long a table keeps its past, by its own properties and by the spec."""

import pytest
from external_data_operator.api.schema import Retention

from sync_runner.lake.delta.retention import FILES, LOG, find_hours, find_missing_properties

DEFAULT = Retention(deleted_file_hours=48, log_hours=168)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("interval 2 days", 48),
        ("INTERVAL 90 minutes", 1.5),
        ("interval 1 week", 168),
        ("interval 1 day 12 hours", 36),
        ("36 hours", 36),
        ("interval 0 hours", 0),
        ("interval 1 month", 7 * 24),
        ("soon", 7 * 24),
    ],
)
def test_an_interval_is_read_as_delta_writes_it_and_else_means_deltas_default(
    text: str, hours: float
) -> None:
    assert find_hours({FILES: text}, FILES) == hours


def test_a_new_table_gets_the_defaults_and_what_its_spec_states() -> None:
    assert find_missing_properties({}, None, default=DEFAULT) == {
        LOG: "interval 7 days",
        FILES: "interval 2 days",
    }
    assert find_missing_properties({}, Retention(deleted_file_hours=5), default=DEFAULT) == {
        LOG: "interval 7 days",
        FILES: "interval 5 hours",
    }


def test_what_a_person_set_on_the_table_holds_until_the_spec_says_otherwise() -> None:
    theirs = {LOG: "interval 3 weeks", FILES: "interval 1 day"}
    assert find_missing_properties(theirs, None, default=DEFAULT) == {}
    stated = Retention(deleted_file_hours=24, log_hours=24)
    assert find_missing_properties(theirs, stated, default=DEFAULT) == {LOG: "interval 1 days"}
