"""The page for troubleshooting has a row for each reason that is not good news."""

import re
from pathlib import Path

import pytest
from external_data_operator.api.conditions import GOOD_NEWS, Reason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
ROWS = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
NAMED = {name for row in ROWS for name in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize("reason", sorted(set(Reason) - GOOD_NEWS))
def test_a_reason_that_is_not_good_news_has_a_row(reason: Reason) -> None:
    assert reason in NAMED


def test_a_row_names_reasons_that_exist() -> None:
    assert set(Reason) >= NAMED
