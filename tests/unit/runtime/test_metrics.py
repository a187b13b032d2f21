"""What the operator's metrics say of its work, as tests on a cluster read it."""

import pytest
from external_data_operator.api.schema import SCHEMA
from external_data_operator.api.source import SOURCE
from external_data_operator.runtime import metrics

from tests.cluster.operator_process import has_seen_all


def page_after(looks: dict[str, int], *, depth: int = 0) -> str:
    """The page of an operator that has three sources and two schemas."""
    counted = f"external_data_queue_depth {depth}.0\n"
    counted += f'external_data_objects{{kind="{SOURCE.kind}"}} 3.0\n'
    counted += f'external_data_objects{{kind="{SCHEMA.kind}"}} 2.0\n'
    counted += 'external_data_objects{kind="Job"} 9.0\n'
    for kind, count in looks.items():
        counted += f'external_data_reconcile_total{{kind="{kind}",result="ok"}} {count}.0\n'
    return counted


@pytest.mark.parametrize(
    ("page", "is_over"),
    [
        pytest.param(page_after({SOURCE.kind: 3, SCHEMA.kind: 5}), True, id="all"),
        pytest.param(page_after({SOURCE.kind: 3, SCHEMA.kind: 2}, depth=1), False, id="one waits"),
        pytest.param(
            page_after({SOURCE.kind: 3, SCHEMA.kind: 1}), False, id="one schema is missing"
        ),
        pytest.param(page_after({SCHEMA.kind: 2}), False, id="no source"),
        pytest.param("", False, id="no page"),
    ],
)
def test_an_operator_has_seen_all_once_each_object_was_looked_at_and_none_waits(
    page: str, is_over: bool
) -> None:
    assert has_seen_all(page) is is_over


def test_the_page_has_what_tells_that_all_was_seen() -> None:
    page = metrics.page(0, {SOURCE.kind: 3, SCHEMA.kind: 2}).decode()
    assert "external_data_queue_depth 0.0" in page
    assert f'external_data_objects{{kind="{SOURCE.kind}"}} 3.0' in page
    assert "external_data_reconcile_total" in page
