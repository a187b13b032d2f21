"""A walk that comes back to where it was is ended."""

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.sources.rest.pagination.loop_guard import LoopGuard


@pytest.mark.parametrize("length", [1, 2, 7, 1000])
def test_a_loop_of_any_length_is_found_when_it_closes(length: int) -> None:
    guard = LoopGuard()
    for number in range(length):
        guard.admit(f"https://h/{number}")
    with pytest.raises(ConfigurationError) as caught:
        guard.admit("https://h/0")
    assert caught.value.reason is Reason.LOOP_DETECTED
    assert "https://h" not in str(caught.value)


def test_what_is_remembered_is_bounded_and_covers_a_whole_generation() -> None:
    guard = LoopGuard(generation=10)
    for number in range(100):
        guard.admit(f"https://h/{number}")
    assert len(guard._young) + len(guard._old) <= 20
    with pytest.raises(ConfigurationError):
        guard.admit("https://h/90")
