"""What a run shows on a terminal."""

import signal
from typing import Any

from tests.servers.replies import Reply, ok
from tests.servers.rest import RestServer
from tests.servers.tables import Table, make_rows
from tests.unit.cli.shop import SECRET, SOURCE, Runner, Terminal


def test_a_terminal_shows_what_a_run_has_to_note(run: Runner, shop: RestServer) -> None:
    shop.on("/orders", ok({"data": []}))
    terminal = Terminal("run", run.write(SOURCE + SECRET), *run.opened, *run.destination)
    assert terminal.wait() == 0, terminal.text
    assert "orders: The stream has had no rows yet, so the table does not exist." in terminal.text


def test_on_a_terminal_a_line_moves_and_a_table_ends_it(run: Runner) -> None:
    terminal = Terminal("run", run.write(SOURCE + SECRET), *run.opened, *run.destination)
    assert terminal.wait() == 0, terminal.text
    assert "\rorders  " in terminal.text
    assert "rows/s" in terminal.text
    lines = [line for line in terminal.text.replace("\r", "\n").splitlines() if line.strip()]
    head, row = lines[-2:]
    assert head.split() == ["TABLE", "ROWS", "READ", "PAGES", "SECONDS", "RESULT", "ADDRESS"]
    cells = row.split()
    assert cells[:4] == ["orders", "250", "250", "4"]
    assert cells[5:] == ["Succeeded", f"file://{run.folder}/lake/analytics/shop_orders"]


def test_an_interrupt_ends_a_run_in_order(run: Runner, shop: RestServer) -> None:
    rows = Table(make_rows(250))

    def slowly(seen: Any) -> Reply:
        reply = rows(seen)
        return Reply(body=reply.body, silence_s=0.3)

    shop.on("/orders", slowly)
    text = SOURCE.replace("limit: 100", "limit: 1") + SECRET
    terminal = Terminal("run", run.write(text), *run.opened, *run.destination)
    terminal.read_until("orders  1 s")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.wait() == 130
    assert "stopped" in terminal.text
    assert "Traceback" not in terminal.text
