"""The plot of `docs/performance.md`, as SVG that needs nothing to be drawn: bars, their values, and
the aims as lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.figures import Result, find_contender, find_median
from benchmarks.places import REPOSITORY
from benchmarks.suites import DLT, LIMIT, OURS

PLOT = REPOSITORY / "docs" / "performance.svg"
_WIDTH, _LEFT, _RIGHT, _ROW, _HEAD = 720, 210, 90, 24, 34
_OURS, _OTHER, _AIM = "#2a78d6", "#8a8f98", "#c2410c"
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}"
    "@media(prefers-color-scheme:dark){text{fill:#d0d7de}}"
)


@dataclass(frozen=True)
class Bar:
    """One value; ours stand out."""

    label: str
    value: float
    ours: bool


@dataclass(frozen=True)
class Panel:
    """Bars of one unit on one scale, and a line for the aim."""

    title: str
    unit: str
    bars: Sequence[Bar]
    aim: float | None = None

    @property
    def height(self) -> int:
        """In pixels."""
        return _HEAD + _ROW * len(self.bars) + 14


def build_panels(results: dict[str, Result]) -> list[Panel]:
    """The panels whose suites were measured."""
    panels = []
    if "rest-1m" in results and "rest-1m-dlt" in results:
        bars = _bars(results["rest-1m"], "wall_s", (OURS, LIMIT))
        bars += _bars(results["rest-1m-dlt"], "wall_s", (DLT,))
        panels.append(Panel("1M REST rows to S3, wall time (shorter is better)", "s", bars))
    if "rest-memory" in results:
        result = results["rest-memory"]
        names = [contender["name"] for contender in result["contenders"]]
        bars = _bars(result, "largest_mib", names)
        panels.append(Panel("Peak memory of the runner (dashed: the aim)", "MiB", bars, aim=320))
    merges = [
        Bar(f"{_describe(suite)}, {who}", value, who == "ours")
        for suite in ("merge-10k-1m", "merge-100k-1m", "merge-10k-50m")
        if suite in results
        for who, name, figure in (
            ("ours", OURS, "after_last_page_s"),
            ("delta-rs", "delta-rs merge", "operation_s"),
        )
        if (value := _find(results[suite], name, figure)) is not None
    ]
    if merges:
        panels.append(Panel("Merge by key", "s", merges))
    return panels


def _describe(suite: str) -> str:
    _, rows, table = suite.split("-")
    return f"{rows} into {table.upper()}"


def _find(result: Result, name: str, figure: str) -> float | None:
    contender = find_contender(result, name)
    return None if contender is None else find_median(contender, figure)


def _bars(result: Result, figure: str, names: Sequence[str]) -> list[Bar]:
    values = [(name, _find(result, name, figure)) for name in names]
    return [
        Bar(_shorten(name), value, name.startswith(OURS))
        for name, value in values
        if value is not None
    ]


def _shorten(name: str) -> str:
    return name.removeprefix(f"{OURS}, ").replace(OURS, "ours")


def draw(panels: Sequence[Panel]) -> str:
    """The panels, one above the other."""
    height = sum(panel.height for panel in panels)
    size = f'width="{_WIDTH}" height="{height}" role="img"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_WIDTH} {height}">',
        f"<style>{_STYLE}</style>",
    ]
    top = 0
    for panel in panels:
        parts += _draw_panel(panel, top)
        top += panel.height
    return "\n".join([*parts, "</svg>", ""])


def _draw_panel(panel: Panel, top: int) -> list[str]:
    scale = (_WIDTH - _LEFT - _RIGHT) / max([*(b.value for b in panel.bars), panel.aim or 0])
    parts = [f'<text class="t" x="4" y="{top + 20}">{escape(panel.title)}</text>']
    for index, bar in enumerate(panel.bars):
        y = top + _HEAD + index * _ROW
        width = max(1.0, bar.value * scale)
        colour = _OURS if bar.ours else _OTHER
        value = f"{bar.value:.0f}" if bar.value >= 20 else f"{bar.value:.2f}"
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="18" rx="2" fill="{colour}"/>',
            f'<text x="{_LEFT + width + 6:.1f}" y="{y + 14}">{value} {panel.unit}</text>',
        ]
    if panel.aim is not None:
        x, end = _LEFT + panel.aim * scale, top + _HEAD + len(panel.bars) * _ROW
        parts.append(
            f'<path d="M{x:.1f} {top + _HEAD - 4}V{end}" stroke="{_AIM}" stroke-dasharray="4 3"/>'
        )
    return parts


def write_plot(results: dict[str, Result], path: Path = PLOT) -> bool:
    """Draws what was measured; False where there is nothing to draw."""
    panels = build_panels(results)
    if panels:
        path.write_text(draw(panels))
    return bool(panels)
