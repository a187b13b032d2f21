"""What is asked for, from where on, and how far a run says it has come."""

from itertools import pairwise
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Batch, Position
from tests.clocks import JumpingClock
from tests.contract.rest_reading import ids_of, make_plan, read
from tests.contract.test_rest_walk import CURSOR, OFFSET
from tests.servers.rest import RestServer
from tests.servers.tables import Row, Table, make_rows, moment_of

MOMENT = CursorType.DATE_TIME
INCREMENTAL = {"syncType": "Incremental"}
SMALL = {"batchRows": 200}
BEGIN = 1_704_067_200.0  # 2024-01-01T00:00:00Z


def _stream(pagination: Any = CURSOR, **incremental: Any) -> dict[str, Any]:
    declared = {"cursorPath": "updated_at", "startParam": "since", **incremental}
    return {"pagination": pagination, "incremental": declared}


def _table(rows: list[Row], style: str = "cursor", field: str = "updated_at") -> Table:
    return Table(
        rows,
        style,
        since=lambda row, value: str(row[field]) >= value,
        until=lambda row, value: str(row[field]) < value,
    )


def _at(number: int, field: str = "updated_at") -> Position:
    return Position(moment_of(number), MOMENT, field)


def _positions(batches: list[Batch]) -> list[tuple[str | None, bool]]:
    return [(b.position.value if b.position else None, b.settled) for b in batches]


class TestWhatIsAsked:
    def test_a_first_run_leaves_the_bound_out(self, server: RestServer) -> None:
        server.on("/orders", _table(make_rows(5)))
        read(make_plan(server, _stream(), sync=INCREMENTAL))
        assert server.targets() == ["/orders"]

    @pytest.mark.parametrize("sync_type", ["FullRefresh", "Incremental", "Append"])
    def test_an_initial_value_is_sent_as_it_is_written(
        self, server: RestServer, sync_type: str
    ) -> None:
        server.on("/orders", _table(make_rows(5)))
        stream = _stream(initialValue="2024/01/01", format="%d.%m.%Y")
        read(make_plan(server, stream, sync={"syncType": sync_type}))
        assert server.requests[0].query == {"since": "2024/01/01"}

    def test_a_position_is_sent_as_the_source_spelled_it(self, server: RestServer) -> None:
        server.on("/orders", _table(make_rows(50)))
        plan = make_plan(server, _stream(initialValue="2020-01-01"), sync=INCREMENTAL)
        batches = read(plan, since=_at(40))
        assert ids_of(batches) == list(range(40, 51))
        assert server.requests[0].query == {"since": moment_of(40)}

    def test_a_position_is_sent_in_the_format_of_the_spec(self, server: RestServer) -> None:
        server.on("/orders", Table(make_rows(5), "cursor"))
        plan = make_plan(server, _stream(format="%Y/%m/%d"), sync=INCREMENTAL)
        read(plan, since=_at(1))
        assert server.requests[0].query == {"since": "2024/01/01"}

    def test_a_bound_replaces_the_static_param_of_its_name(self, server: RestServer) -> None:
        server.on("/orders", Table(make_rows(5), "cursor"))
        plan = make_plan(server, {**_stream(), "params": {"since": "old"}}, sync=INCREMENTAL)
        read(plan, since=_at(1))
        assert server.targets()[0].count("since=") == 1
        assert server.requests[0].query == {"since": moment_of(1)}

    def test_every_page_carries_the_bound(self, server: RestServer) -> None:
        server.on("/orders", _table(make_rows(500)))
        read(make_plan(server, _stream(), sync=INCREMENTAL), since=_at(2))
        assert {seen.query["since"] for seen in server.requests} == {moment_of(2)}
        assert len(server.requests) == 5

    def test_a_stream_without_a_start_param_is_read_whole(self, server: RestServer) -> None:
        server.on("/orders", Table(make_rows(5), "cursor"))
        declared = {"cursorPath": "updated_at"}
        stream = {"pagination": CURSOR, "incremental": declared}
        batches = read(make_plan(server, stream, sync=INCREMENTAL), since=_at(3))
        assert ids_of(batches) == [1, 2, 3, 4, 5]
        assert batches[-1].position == _at(5)


class TestHowFarItCame:
    def test_a_full_refresh_has_no_position(self, server: RestServer) -> None:
        server.on("/orders", _table(make_rows(500)))
        batches = read(make_plan(server, _stream(rowOrder="Ascending"), limits=SMALL))
        assert _positions(batches) == [(None, False), (None, False), (None, True)]

    def test_ascending_rows_are_settled_up_to_the_last_value_but_one(
        self, server: RestServer
    ) -> None:
        server.on("/orders", _table(make_rows(500)))
        plan = make_plan(server, _stream(rowOrder="Ascending"), sync=INCREMENTAL, limits=SMALL)
        assert _positions(read(plan)) == [
            (moment_of(199), True),
            (moment_of(399), True),
            (moment_of(500), True),
        ]

    def test_rows_that_share_the_last_value_with_the_next_page_are_not_passed_over(
        self, server: RestServer
    ) -> None:
        rows = [row | {"updated_at": moment_of(row["id"] // 150)} for row in make_rows(500)]
        server.on("/orders", _table(rows))
        plan = make_plan(server, _stream(rowOrder="Ascending"), sync=INCREMENTAL, limits=SMALL)
        assert _positions(read(plan)) == [
            (moment_of(0), True),
            (moment_of(1), True),
            (moment_of(3), True),
        ]

    def test_a_first_batch_of_one_value_settles_nothing(self, server: RestServer) -> None:
        rows = [row | {"updated_at": moment_of(0)} for row in make_rows(400)]
        server.on("/orders", _table(rows))
        plan = make_plan(server, _stream(rowOrder="Ascending"), sync=INCREMENTAL, limits=SMALL)
        assert _positions(read(plan)) == [(moment_of(0), False), (moment_of(0), True)]

    @pytest.mark.parametrize("order", ["Descending", "Unordered"])
    def test_other_orders_are_settled_only_at_the_end(self, server: RestServer, order: str) -> None:
        server.on("/orders", Table(list(reversed(make_rows(500))), "cursor"))
        plan = make_plan(server, _stream(rowOrder=order), sync=INCREMENTAL, limits=SMALL)
        highest = moment_of(500)
        assert _positions(read(plan)) == [(highest, False), (highest, False), (highest, True)]

    def test_a_stream_that_only_claims_to_ascend_is_not_believed(self, server: RestServer) -> None:
        rows = make_rows(600)
        rows[250], rows[260] = rows[260], rows[250]
        server.on("/orders", Table(rows, "cursor"))
        plan = make_plan(server, _stream(rowOrder="Ascending"), sync=INCREMENTAL, limits=SMALL)
        batches = read(plan)
        assert [settled for _, settled in _positions(batches)] == [True, False, True]
        assert batches[-1].next is None
        resumed = read(plan, resume=batches[1].next)
        assert [settled for _, settled in _positions(resumed)] == [True]

    def test_the_schema_may_choose_another_field_and_type(self, server: RestServer) -> None:
        server.on("/orders", Table(make_rows(5), "cursor"))
        sync = {**INCREMENTAL, "incrementalField": "id", "incrementalFieldType": "Integer"}
        batches = read(make_plan(server, _stream(), sync=sync))
        assert batches[-1].position == Position("5", CursorType.INTEGER, "id")

    def test_a_nested_cursor_is_read_from_its_path(self, server: RestServer) -> None:
        server.on("/orders", Table(make_rows(5), "cursor"))
        plan = make_plan(server, _stream(cursorPath="meta.updated"), sync=INCREMENTAL)
        batches = read(plan)
        assert batches[-1].position == _at(5, "meta.updated")
        assert batches[-1].records.column("meta.updated").to_pylist()[0] == moment_of(1)

    @pytest.mark.parametrize("field", ["updated_at", "meta.updated_at"])
    def test_a_field_that_no_row_has_is_said(self, server: RestServer, field: str) -> None:
        server.on("/orders", Table([{"id": 1, "meta": {"at": 1}}], "cursor"))
        with pytest.raises(ConfigurationError, match=f"field {field}") as caught:
            read(make_plan(server, _stream(cursorPath=field), sync=INCREMENTAL))
        assert caught.value.reason is Reason.CURSOR_FIELD_MISSING

    @pytest.mark.parametrize("empty", [None, "", "0000-00-00 00:00:00", "0001-01-01T00:00:00Z"])
    @pytest.mark.parametrize("field", ["updated_at", "meta.updated_at"])
    def test_a_first_run_whose_cursors_are_all_empty_reads_its_rows(
        self, server: RestServer, field: str, empty: str | None
    ) -> None:
        rows: list[Row] = [{"id": 1, "updated_at": empty, "meta": {"updated_at": empty}}]
        server.on("/orders", Table(rows, "cursor"))
        batches = read(make_plan(server, _stream(cursorPath=field), sync=INCREMENTAL))
        assert ids_of(batches) == [1]
        assert _positions(batches) == [(None, True)]

    def test_a_row_from_the_future_is_read_again_and_hides_no_later_one(
        self, server: RestServer
    ) -> None:
        future = {**make_rows(1, first=900)[0], "updated_at": "2990-01-01T00:00:00Z"}
        rows = [*make_rows(3), future, *make_rows(2, first=4)]
        server.on("/orders", _table(rows))
        batches = read(make_plan(server, _stream(rowOrder="Ascending"), sync=INCREMENTAL))
        assert batches[-1].position == _at(5)
        assert batches[-1].notes[0].startswith("1 row has a time in the future in updated_at.")
        again = read(make_plan(server, _stream(), sync=INCREMENTAL), since=_at(5))
        assert ids_of(again) == [900, 5]

    def test_a_row_without_the_field_does_not_stop_a_stream_that_has_a_position(
        self, server: RestServer
    ) -> None:
        rows: list[Row] = [{"id": 999, "updated_at": None}]
        server.on("/orders", Table(rows, "cursor"))
        batches = read(make_plan(server, _stream(), sync=INCREMENTAL), since=_at(3))
        assert ids_of(batches) == [999]
        assert _positions(batches) == [(None, True)]

    def test_a_field_of_another_type_is_said(self, server: RestServer) -> None:
        server.on("/orders", Table([{"id": 1, "updated_at": "soon"}], "cursor"))
        with pytest.raises(ConfigurationError, match="does not contain DateTime values"):
            read(make_plan(server, _stream(), sync=INCREMENTAL))

    def test_nothing_new_has_no_position(self, server: RestServer) -> None:
        server.on("/orders", _table(make_rows(5)))
        batches = read(make_plan(server, _stream(), sync=INCREMENTAL), since=_at(9))
        assert _positions(batches) == [(None, True)]
        assert batches[0].records.num_rows == 0


class TestWindows:
    def _plan(self, server: RestServer, **more: Any) -> Any:
        sync = more.pop("sync", {**INCREMENTAL, "primaryKeyColumns": ["id"]})
        stream = _stream(
            OFFSET,
            endParam="until",
            windowSeconds=more.pop("window", 3600),
            initialValue=more.pop("initial", "2024-01-01T00:00:00Z"),
            **more,
        )
        return make_plan(server, stream, sync=sync, limits=SMALL)

    @pytest.mark.parametrize(
        "sync",
        [{"syncType": "FullRefresh"}, {"syncType": "Append", "primaryKeyColumns": ["id"]}],
        ids=["refresh-without-key", "append"],
    )
    def test_rows_that_do_not_collapse_are_read_without_edges(
        self, server: RestServer, sync: dict[str, Any]
    ) -> None:
        server.on("/orders", _table(make_rows(290), "offset"))
        batches = read(self._plan(server, sync=sync), clock=JumpingClock(BEGIN + 5 * 3600))
        assert ids_of(batches) == list(range(1, 291))
        assert not any("until" in seen.query for seen in server.requests)

    def test_windows_reach_from_the_initial_value_to_now_and_touch(
        self, server: RestServer
    ) -> None:
        server.on("/orders", _table(make_rows(290), "offset"))
        batches = read(self._plan(server), clock=JumpingClock(BEGIN + 5 * 3600 + 600))
        assert sorted(ids_of(batches)) == list(range(1, 291))
        windows = list(
            dict.fromkeys((seen.query["since"], seen.query["until"]) for seen in server.requests)
        )
        edges = [f"2024-01-01T0{hour}:00:00Z" for hour in range(6)] + ["2024-01-01T05:10:00Z"]
        assert windows == list(pairwise(edges))

    def test_a_finished_window_is_settled_whatever_the_order(self, server: RestServer) -> None:
        server.on("/orders", _table(list(reversed(make_rows(290))), "offset"))
        batches = read(self._plan(server), clock=JumpingClock(BEGIN + 5 * 3600))
        assert _positions(batches)[:2] == [(moment_of(59), True), (moment_of(119), True)]
        assert _positions(batches)[-1] == (moment_of(290), True)

    def test_an_interrupted_load_goes_on_in_its_window(self, server: RestServer) -> None:
        server.on("/orders", _table(make_rows(290), "offset"))
        clock = JumpingClock(BEGIN + 5 * 3600)
        batches = read(self._plan(server), clock=clock)
        token = batches[1].next
        server.requests.clear()
        later = JumpingClock(BEGIN + 900 * 3600)
        rest = read(self._plan(server), clock=later, resume=token)
        assert ids_of(rest) == ids_of(batches[2:])
        assert server.requests[0].query["since"] == "2024-01-01T02:00:00Z"
        assert server.requests[-1].query["until"] == "2024-01-01T05:00:00Z"

    def test_a_later_run_begins_at_the_position(self, server: RestServer) -> None:
        server.on("/orders", _table(make_rows(290), "offset"))
        plan = self._plan(server)
        batches = read(plan, since=_at(200), clock=JumpingClock(BEGIN + 5 * 3600))
        assert ids_of(batches) == list(range(200, 291))
        assert server.requests[0].query["since"] == moment_of(200)

    def test_a_position_ahead_of_our_clock_still_asks_once(self, server: RestServer) -> None:
        server.on("/orders", _table(make_rows(290), "offset"))
        batches = read(self._plan(server), since=_at(200), clock=JumpingClock(BEGIN))
        assert ids_of(batches) == list(range(200, 260))

    @pytest.mark.parametrize(
        ("more", "first", "last"),
        [
            (
                {"initial": "01.01.2024", "format": "%d.%m.%Y", "window": 86_400},
                ("01.01.2024", "02.01.2024"),
                ("03.01.2024", "03.01.2024"),
            ),
            (
                {"initial": "1704067200", "cursorType": "Timestamp", "window": 86_400},
                ("1704067200", "1704153600"),
                ("1704240000", "1704276000"),
            ),
            (
                {"initial": "2024-01-01", "cursorType": "Date", "window": 90_000},
                ("2024-01-01", "2024-01-03"),
                ("2024-01-03", "2024-01-04"),
            ),
        ],
        ids=["format", "epoch", "date"],
    )
    def test_windows_are_written_in_the_form_of_the_initial_value(
        self,
        server: RestServer,
        more: dict[str, Any],
        first: tuple[str, str],
        last: tuple[str, str],
    ) -> None:
        server.on("/orders", Table([], "offset"))
        read(self._plan(server, **more), clock=JumpingClock(BEGIN + 58 * 3600))
        asked = [(seen.query["since"], seen.query["until"]) for seen in server.requests]
        assert (asked[0], asked[-1]) == (first, last)

    def test_an_initial_value_that_cannot_be_read_is_said(self, server: RestServer) -> None:
        with pytest.raises(ConfigurationError, match="initialValue") as caught:
            read(self._plan(server, initial="last year"))
        assert caught.value.reason is Reason.INVALID_SPEC
