"""From samples to figures: medians, ratios to ours, targets; as JSON and as tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.harness import OURS, SCALE, Case, Sample, Target


@dataclass
class Line:
    """One line of a table. ``failure`` says why there is no figure."""

    case: Case
    samples: list[Sample]
    failure: str = ""

    @property
    def median(self) -> float | None:
        return median(sample.value for sample in self.samples) if self.samples else None

    def scaled(self, value: float) -> float:
        return value * SCALE[self.case.unit]


@dataclass
class Verdict:
    """What became of a target. ``figure`` is a ratio, or a figure of ours in its own unit."""

    target: Target
    figure: float | None
    limit: float

    @property
    def outcome(self) -> str:
        if self.figure is None:
            return "not measured"
        return "met" if self.figure <= self.limit else "MISSED"


class Group:
    """The lines that do the same job, and the targets about them."""

    def __init__(self, title: str, lines: list[Line], targets: list[Target]) -> None:
        self.title, self.lines = title, lines
        self.verdicts = [self._judge(target) for target in targets]

    def _median(self, label: str) -> float | None:
        return next((line.median for line in self.lines if line.case.label == label), None)

    def ours(self) -> float | None:
        """Return the figure that the ratios refer to: that of our first line."""
        return next((line.median for line in self.lines if line.case.peer == OURS), None)

    def _judge(self, target: Target) -> Verdict:
        ours, limit = self._median(target.ours), target.limit
        if not target.against:
            scale = SCALE[self.lines[0].case.unit]
            return Verdict(target, None if ours is None else ours * scale, limit * scale)
        other = self._median(target.against)
        return Verdict(target, ours / other if ours is not None and other else None, limit)

    def text(self) -> str:
        unit, ours = self.lines[0].case.unit, self.ours()
        width = max(len(line.case.label) for line in self.lines)
        rows = [
            f"\n{self.title}",
            f"  {'':{width}} {'median':>10} {'least':>10} {'most':>10} {unit:4} {'x ours':>8}",
        ]
        rows += [self._row(line, width, ours) for line in self.lines]
        rows += [f"  target: {_told(verdict, unit)}" for verdict in self.verdicts]
        return "\n".join(rows)

    def _row(self, line: Line, width: int, ours: float | None) -> str:
        label = f"  {line.case.label:{width}}"
        middle = line.median
        if middle is None:
            return f"{label} {line.failure}"
        values = [sample.value for sample in line.samples]
        figures = " ".join(
            f"{_short(line.scaled(value)):>10}" for value in (middle, min(values), max(values))
        )
        ratio = f"{middle / ours:8.2f}" if ours else f"{'':8}"
        return f"{label} {figures} {line.case.unit:4} {ratio}  {line.samples[-1].note}".rstrip()

    def data(self) -> dict[str, Any]:
        ours = self.ours()
        return {
            "group": self.title,
            "lines": [
                {
                    "label": line.case.label,
                    "peer": line.case.peer,
                    "unit": line.case.unit,
                    "samples": [line.scaled(sample.value) for sample in line.samples],
                    "median": None if line.median is None else line.scaled(line.median),
                    "times_ours": line.median / ours if ours and line.median is not None else None,
                    "note": line.samples[-1].note if line.samples else line.failure,
                }
                for line in self.lines
            ],
            "targets": [
                {
                    **asdict(verdict.target),
                    "limit": verdict.limit,
                    "figure": verdict.figure,
                    "outcome": verdict.outcome,
                }
                for verdict in self.verdicts
            ],
        }


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _told(verdict: Verdict, unit: str) -> str:
    target = verdict.target
    if verdict.figure is None:
        return f"{target.wish}: not measured"
    what = (
        f"{verdict.figure:.2f}x of {target.against}"
        if target.against
        else f"{verdict.figure:.1f} {unit}".strip()
    )
    limit = f"{verdict.limit:.2f}x" if target.against else f"{verdict.limit:g} {unit}".strip()
    return f"{target.wish}: {what} (at most {limit}): {verdict.outcome}"
