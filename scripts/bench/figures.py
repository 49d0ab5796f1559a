"""What was measured, against what it must reach, as tables for a terminal and for docs/benchmarks.md."""

import datetime
import json
import os
import re
import statistics
import subprocess
from dataclasses import dataclass

import clients
import workplace

OURS = "ecr-replicate"


@dataclass
class Bound:
    """At most `limit`, or at most `limit` times what `reference` took."""

    limit: float
    reference: str = None


@dataclass
class Figure:
    name: str
    case: str
    measure: str  # a field of Run
    unit: str  # s, ms, MiB, or nothing for counts
    bounds: tuple = ()
    per: float = 1  # divides the measure, for what is counted per GiB


class Results:
    def __init__(self):
        self._runs = {}

    def add(self, case, client, run):
        self._runs.setdefault((case, client), []).append(run)

    def clients(self):
        """In the order in which they first ran, ours first."""
        names = dict.fromkeys(client for _, client in self._runs)
        return sorted(names, key=lambda name: (not name.startswith(OURS), name.startswith("curl")))

    def median(self, figure, client):
        runs = self._runs.get((figure.case, client))
        if not runs:
            return None
        return statistics.median(getattr(run, figure.measure) for run in runs) / figure.per

    def spread(self, figure, client):
        """Lowest and highest."""
        values = [getattr(run, figure.measure) / figure.per for run in self._runs[figure.case, client]]
        return min(values), max(values)

    def count(self, figure):
        return max((len(runs) for (case, _), runs in self._runs.items() if case == figure.case), default=0)

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(
                [
                    {"case": case, "client": client, "wall": r.wall, "cpu": r.cpu, "peak": r.peak, "requests": r.requests}
                    for (case, client), runs in self._runs.items() for r in runs
                ],
                file, indent=1,
            )


def formatted(value, unit):
    if value is None:
        return ""
    if unit == "MiB":
        return f"{value / (1 << 20):.0f} MiB" if value else "under 9 MiB"
    if unit == "ms":
        return f"{value * 1_000:.1f} ms"
    if unit == "s":
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    return f"{value:.0f}"


def comparison(results, figures):
    """Medians of every client, one line for each figure."""
    names = results.clients()
    rows = [["", "runs", *names, *(f"÷ {name}" for name in names if name != OURS and not name.startswith(OURS))]]
    others = [name for name in names if not name.startswith(OURS)]
    for figure in figures:
        medians = {name: results.median(figure, name) for name in names}
        if all(value is None for value in medians.values()):
            continue
        ours = medians.get(OURS)
        ratios = [
            f"{ours / medians[name]:.2f}" if ours and medians.get(name) else "" for name in others
        ]
        rows.append(
            [figure.name, str(results.count(figure)), *(formatted(medians[n], figure.unit) for n in names), *ratios]
        )
    return without_empty_columns(rows)


def verdicts(results, figures):
    """What DESIGN section 10 asks for, and whether it was reached. One that wasn't measured is said so."""
    rows = [["figure", "must reach", "reached", ""]]
    for figure in figures:
        ours = results.median(figure, OURS)
        for bound in figure.bounds:
            base = results.median(figure, bound.reference) if bound.reference else 1
            wanted = f"≤ {bound.limit:g} × {bound.reference}" if bound.reference else f"≤ {limit_text(bound, figure)}"
            if ours is None or not base:
                rows.append([figure.name, wanted, "not measured", "—"])
                continue
            share = ours / base
            reached = f"{share:.2f} ×" if bound.reference else formatted(ours, figure.unit)
            met = share <= bound.limit
            rows.append([figure.name, wanted, reached, "met" if met else f"**missed** by {share / bound.limit - 1:.0%}"])
    return rows


def limit_text(bound, figure):
    return formatted(bound.limit, figure.unit)


def without_empty_columns(rows):
    used = [n for n in range(len(rows[0])) if n == 0 or any(row[n] for row in rows[1:])]
    return [[row[n] for n in used] for row in rows]


def table(rows):
    """As Markdown, with columns lined up so that it reads as it stands."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join("-" * max(width, 3) for width in widths) + " |")
    return "\n".join(lines)


def machine():
    """One line each of what the figures depend on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        text = file.read()
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read())[1]) >> 20
    release = clients.version_of("sh", "-c", ". /etc/os-release && echo $PRETTY_NAME")
    commit = subprocess.run(
        ["git", "log", "-1", "--format=%h"], cwd=workplace.ROOT, capture_output=True, text=True
    ).stdout.strip()
    return [
        f"{os.cpu_count()} cores, {model[1] if model else 'unknown'}, {memory} GiB",
        f"{release}, Linux {os.uname().release}",
        f"{clients.version_of('docker-registry', '--version')}, {clients.version_of('openssl', 'version')}",
        f"{datetime.date.today()}, commit {commit or 'unknown'}",
    ]


def write_section(path, name, text):
    """Puts `text` between the marks of a section of a page."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    with open(path, encoding="utf-8") as file:
        page = file.read()
    if begin not in page or end not in page:
        raise SystemExit(f"bench: {path} has no {begin} … {end}")
    before, rest = page.split(begin, 1)
    _, after = rest.split(end, 1)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}")
