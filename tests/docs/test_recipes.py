"""The questions that recipes ask are answered by DuckDB, on rows of the shape that tables have."""

import re
from pathlib import Path
from typing import Any

import duckdb
import polars

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "docs/recipes/cluster-inventory.md"
EVENTS = polars.DataFrame(
    {
        "reason": ["Pulled", "Pulled", "Scheduled"],
        "count": [2, 3, None],
        "first_timestamp": ["2026-01-02T03:04:05Z", "2026-01-02T04:00:00Z", None],
    }
)
PODS = polars.DataFrame(
    {
        "metadata": ['{"name":"web-1","namespace":"shop"}', '{"name":"web-2","namespace":"shop"}'],
        "status": [
            '{"phase":"Running","containerStatuses":[{"image":"web:7","restartCount":3}]}',
            '{"phase":"Pending"}',
        ],
    }
)


def questions() -> list[str]:
    """The statements of the page's SQL blocks, asked of frames instead of the lake."""
    text = "".join(re.findall(r"```sql\n(.*?)```", RECIPE.read_text(), re.DOTALL))
    tables = {"cluster_events": "EVENTS", "cluster_pods": "PODS"}
    for table, frame in tables.items():
        text = text.replace(f"delta_scan('s3://lake/analytics/{table}')", frame)
    assert "delta_scan" not in text, "every table has a frame here"
    return [statement for statement in text.split(";") if statement.strip()]


def ask(question: str) -> list[tuple[Any, ...]]:
    """The rows of an answer."""
    answer = duckdb.sql(question)
    assert answer is not None, "a question is a SELECT"
    return answer.fetchall()


def test_the_questions_of_the_recipe_have_answers() -> None:
    reasons, restarts = map(ask, questions())
    assert reasons == [("2026-01-02", "Pulled", 5), (None, "Scheduled", 1)]
    assert restarts == [("shop", "web-1", "web:7", 3)]
