"""What a person and what a program sees of a run."""

import io
import json

import pytest
from external_data_operator.cli.display import Display, worst
from external_data_operator.cli.exits import Exit

from tests.waiting import wait_for


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def open_display(*, as_json: bool) -> tuple[Display, io.StringIO, io.StringIO, Watch]:
    out, err, watch = io.StringIO(), io.StringIO(), Watch()
    return Display(as_json, out, err, watch, tick_s=None), out, err, watch


def test_a_person_sees_one_line_that_moves() -> None:
    display, out, err, watch = open_display(as_json=False)
    line = display.follow("orders")
    line.show(pages=1, rows=100, phase="reading")
    watch.now = 2.0
    line.show(pages=40, rows=12_000, phase="reading")
    line.end()
    assert "orders  2 s  40 pages  12,000 rows  6,000 rows/s  reading" in err.getvalue()
    assert "\n" not in err.getvalue()
    assert err.getvalue().rsplit("\r", 2)[1].strip() == "", "the line is taken away"
    assert out.getvalue() == ""


def test_a_program_sees_a_document_every_five_seconds() -> None:
    display, out, err, watch = open_display(as_json=True)
    line = display.follow("orders")
    for second in range(11):
        watch.now = float(second)
        line.show(pages=second, rows=100 * second, phase="reading")
    line.end()
    documents = [json.loads(text) for text in out.getvalue().splitlines()]
    assert [document["pages"] for document in documents] == [0, 5, 10]
    assert documents[1]["rowsPerSecond"] == 100
    assert err.getvalue() == ""


def test_a_source_that_is_slow_does_not_look_dead() -> None:
    err = io.StringIO()
    display = Display(False, io.StringIO(), err, tick_s=0.01)
    line = display.follow("orders")
    wait_for(lambda: "orders  0 s  0 pages" in err.getvalue(), every_s=0.01)
    line.end()


def test_the_line_does_not_move_faster_than_a_person_reads() -> None:
    display, _, err, _ = open_display(as_json=False)
    line = display.follow("orders")
    for page in range(1000):
        line.show(pages=page, rows=page, phase="reading")
    assert err.getvalue().count("orders") == 1


def test_tables_are_for_people_and_documents_for_programs() -> None:
    display, out, _, _ = open_display(as_json=False)
    display.say(event="synced")
    display.print_table(["TABLE", "ROWS"], [["orders", 1_234_567], ["items", 3]])
    assert out.getvalue() == "TABLE        ROWS\norders  1,234,567\nitems           3\n"
    display, out, _, _ = open_display(as_json=True)
    display.print_table(["TABLE", "ROWS"], [["orders", 1]])
    display.say(event="synced", rows=1)
    assert out.getvalue() == '{"event": "synced", "rows": 1}\n'


def test_a_long_cell_is_cut_and_stays_on_its_line() -> None:
    display, out, _, _ = open_display(as_json=False)
    display.print_table(["A"], [["x" * 100], ["two\nlines"]], cell_max=60)
    assert max(map(len, out.getvalue().splitlines())) == 60
    assert "two lines" in out.getvalue()


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([Exit.OK, Exit.OK], Exit.OK),
        ([Exit.OK, Exit.RETRYABLE], Exit.RETRYABLE),
        ([Exit.RETRYABLE, Exit.CONFIGURATION], Exit.CONFIGURATION),
        ([Exit.CONFIGURATION, Exit.INVALID], Exit.INVALID),
    ],
    ids=["all well", "one may pass", "one needs a person", "one is a bug"],
)
def test_several_runs_end_as_their_worst(statuses: list[Exit], status: Exit) -> None:
    assert worst(statuses) is status
