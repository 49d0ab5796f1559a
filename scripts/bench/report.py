"""One benchmark's report: on standard output, and as a section of docs/benchmarks.md."""

import contextlib
import datetime
import hashlib
import os
import re
import subprocess

import clients
import figures
import workplace


def arguments(parser, cases):
    """Reads the command line, with the options that every benchmark has."""
    parser.add_argument("--only", metavar="CASE,...", default=",".join(cases), help=f"of {', '.join(cases)}")
    parser.add_argument("--add", action="store_true", help="to what earlier runs of the same program have left")
    parser.add_argument("--write", metavar="FILE.md", help="put the figures into its section")
    options = parser.parse_args()
    options.cases = options.only.split(",")
    if unknown := [case for case in options.cases if case not in cases]:
        parser.error(f"there is no case {unknown[0]!r}")
    return options


@contextlib.contextmanager
def kept(name, results, options):
    """Loads the results of earlier runs, if requested, and saves the results of the body in .build-bench/NAME.json.

    A client that fails ends the benchmark, but earlier results are kept: `--add` continues from there.
    """
    if options.write:
        _section(options.write, name)  # fails early, not after minutes
    path, program = os.path.join(workplace.KEPT, f"{name}.json"), _program()
    if options.add:
        workplace.say(f"adding to {results.load(path, program)} runs")
    try:
        yield
    finally:
        results.save(path, program)


def finish(name, title, results, wanted, present, command, options, extra=()):
    """Prints the report, and writes the section if a page was named.

    - extra: lines about the environment besides machine and versions.
    """
    circumstances = [*machine(), versions(present), *extra]
    parts = [
        f"### {title}",
        f"By `{command}`{' in several goes' if options.add else ''}, {datetime.date.today()}.",
        "\n".join(f"- {line}" for line in circumstances),
        figures.table(figures.measured(results, wanted)),
    ]
    verdicts = figures.verdicts(results, wanted)
    if len(verdicts) > 1:
        parts += ["Against the targets:", figures.table(verdicts)]
    losses = figures.losses(results, wanted)
    if losses:
        parts += ["Where another program is better:", "\n".join(f"- {line}" for line in losses)]
    unsteady = figures.unsteady(results, wanted)
    if unsteady:
        parts += ["Not steady, and to be read with care:", "\n".join(f"- {line}" for line in unsteady)]
    parts += ["What was run:", figures.table(figures.commands(results, wanted))]
    text = "\n\n".join(parts)
    print(text)
    if options.write:
        write_section(options.write, name, text)
        workplace.say(f"written into {options.write}")


def _program():
    hasher = hashlib.sha256()
    with open(workplace.BINARY, "rb") as file:
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()


def machine():
    """The machine and the versions."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        text = file.read()
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", text, re.MULTILINE)
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read())[1]) >> 20
    hashing = [flag for flag in ("sha_ni", "sha2") if flags and flag in flags[1].split()]
    release = clients.version_of("sh", "-c", ". /etc/os-release && echo $PRETTY_NAME")
    return [
        f"{os.cpu_count()} cores ({model[1] if model else os.uname().machine}"
        f"{', ' + hashing[0] if hashing else ', no SHA instructions'}), {memory} GiB of memory",
        f"{release}, Linux {os.uname().release}, "
        f"{' '.join((clients.version_of('openssl', 'version') or 'no OpenSSL').split()[:2])}",
    ]


def versions(present):
    commit = git("rev-parse", "--short", "HEAD") or "an unknown commit"
    if git("status", "--porcelain", "--", "Sources", "Package.swift"):
        commit += " with changes"
    registry = re.search(r"\d+\.\d+\.\d+\S*", clients.version_of("docker-registry", "--version") or "")
    named = [f"{client.name} {client.version()}" for client in present if client.name != figures.OURS]
    return ", ".join([f"ecr-replicate at {commit}", *named, f"docker-registry {registry[0]}"])


def git(*arguments):
    return subprocess.run(
        ["git", *arguments], cwd=workplace.ROOT, capture_output=True, text=True
    ).stdout.strip()


def write_section(path, name, text):
    """Puts `text` between the marks of a section of a page."""
    before, after = _section(path, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}\n\n{text.strip()}\n\n{after}")


def _section(path, name):
    """The page up to the section's first mark and from its last."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    with open(path, encoding="utf-8") as file:
        before, found, rest = file.read().partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"bench: {path} has no {begin} … {end}")
    return before + begin, end + after
