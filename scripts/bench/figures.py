"""The measurements and their targets, as tables for a terminal and for docs/benchmarks.md."""

import json
import shlex
import statistics
from dataclasses import dataclass

from measure import Run

OURS = "ecr-replicate"
YARDSTICKS = ("curl -T", "bare loop", "bare requests")

# Smaller differences don't count: between rounds of one program they are 2 to 4 %.
NOISE = 0.05
# A median is uncertain if its runs differ by more than this share of it.
UNSTEADY = 0.25


@dataclass
class Bound:
    """At most `limit`, or at most `limit` times the figure of `reference`."""

    limit: float
    reference: str = None


@dataclass
class Figure:
    name: str
    case: str
    measure: str  # a field of Run
    unit: str  # s, ms, MiB, or nothing for counts
    bounds: tuple = ()

    def shown(self, value):
        if value is None:
            return ""
        if self.unit == "MiB":
            return f"{value / (1 << 20):.0f} MiB" if value else "< 9 MiB"  # the memory of launch.py itself
        if self.unit == "ms":
            return f"{value * 1_000:.1f} ms"
        if self.unit == "s":
            return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
        return f"{value:.0f}"


class Results:
    def __init__(self):
        self._runs, self.commands = {}, {}

    def add(self, case, client, run, shown=None):
        self._runs.setdefault((case, client), []).append(run)
        if shown:
            self.commands.setdefault((case, client), shown)

    def clients(self):
        """This project's program first, then the others, then yardsticks."""
        names = dict.fromkeys(client for _, client in self._runs)
        return sorted(names, key=lambda name: (name != OURS, name in YARDSTICKS))

    def median(self, figure, client):
        runs = self._runs.get((figure.case, client))
        return statistics.median(getattr(run, figure.measure) for run in runs) if runs else None

    def spread(self, figure, client):
        """The spread of one client's runs, as a share of their median."""
        values = [getattr(run, figure.measure) for run in self._runs.get((figure.case, client), [])]
        middle = statistics.median(values) if values else 0
        return (max(values) - min(values)) / middle if middle else 0

    def runs(self, figure):
        return max((len(runs) for (case, _), runs in self._runs.items() if case == figure.case), default=0)

    def save(self, path, program):
        """- program: identifies the measured program; only its own runs can be added later."""
        runs = [
            {"case": case, "client": client, **{k: v for k, v in vars(run).items() if k != "output"}}
            for (case, client), runs in self._runs.items() for run in runs
        ]
        commands = [[*key, command] for key, command in self.commands.items()]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"program": program, "runs": runs, "commands": commands}, file, indent=1)

    def load(self, path, program):
        """Starts with the runs of an earlier benchmark of the same program.

        - Returns: The number of these runs.
        """
        try:
            with open(path, encoding="utf-8") as file:
                kept = json.load(file)
        except FileNotFoundError:
            return 0
        if kept["program"] != program:
            return 0
        for run in kept["runs"]:
            self.add(run.pop("case"), run.pop("client"), Run(output="", **run))
        self.commands |= {(case, client): command for case, client, command in kept["commands"]}
        return len(kept["runs"])


def measured(results, figures):
    """The medians of every client, with a line for each figure and the ratios."""
    names = results.clients()
    others = [name for name in names if name != OURS]
    rows = [["", "runs", *names, *(f"÷ {name}" for name in others)]]
    for figure in figures:
        # A yardstick's memory and requests mean nothing, because it does only a part of the job.
        medians = {
            name: results.median(figure, name) for name in names if name not in YARDSTICKS or figure.unit == "s"
        }
        if all(value is None for value in medians.values()):
            continue
        ours = medians.get(OURS)
        ratios = [f"{ours / medians[name]:.2f}" if ours and medians.get(name) else "" for name in others]
        rows.append([figure.name, str(results.runs(figure)), *(figure.shown(medians.get(n)) for n in names), *ratios])
    return _without_empty_columns(rows)


def verdicts(results, figures):
    """The targets and the results, including targets that weren't measured."""
    rows = [["figure", "must reach", "reached", ""]]
    for figure in figures:
        ours = results.median(figure, OURS)
        for bound in figure.bounds:
            base = results.median(figure, bound.reference) if bound.reference else 1
            wanted = f"≤ {bound.limit:g} × {bound.reference}" if bound.reference else f"≤ {figure.shown(bound.limit)}"
            if ours is None or not base:
                rows.append([figure.name, wanted, "", "not measured"])
                continue
            share = ours / base
            verdict = "met" if share <= bound.limit else f"**missed** by {share / bound.limit - 1:.0%}"
            rows.append([figure.name, wanted, f"{share:.2f} ×" if bound.reference else figure.shown(ours), verdict])
    return rows


def losses(results, figures):
    """A line for each figure in which another program is better."""
    found = []
    for figure in figures:
        ours = results.median(figure, OURS)
        for name in results.clients():
            theirs = results.median(figure, name)
            if name == OURS or name in YARDSTICKS or not ours or not theirs:
                continue
            if ours / theirs > 1 + NOISE:
                found.append(f"{figure.name}: {name} {figure.shown(theirs)}, ours {figure.shown(ours)}")
    return found


def unsteady(results, figures):
    """Figures in seconds whose runs differ so much that the median is uncertain."""
    found = []
    for figure in figures:
        for name in results.clients() if figure.unit == "s" else ():
            if (spread := results.spread(figure, name)) > UNSTEADY:
                found.append(f"{figure.name}, {name}: the runs lie {spread:.0%} apart")
    return found


def commands(results, figures):
    """The command line of each program, in the order of the figures, this project's first."""
    rows = [["case", "command"]]
    for case in dict.fromkeys(figure.case for figure in figures):
        for client in results.clients():
            command = results.commands.get((case, client))
            if command:
                rows.append([case, f"`{command if isinstance(command, str) else shlex.join(command)}`"])
    return rows


def table(rows):
    """The table as Markdown, with aligned columns."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join("-" * max(width, 3) for width in widths) + " |")
    return "\n".join(lines)


def _without_empty_columns(rows):
    used = [n for n in range(len(rows[0])) if n == 0 or any(row[n] for row in rows[1:])]
    return [[row[n] for n in used] for row in rows]
