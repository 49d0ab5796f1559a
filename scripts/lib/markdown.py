"""Parses the parts of Markdown that the scripts need: fences, marks above them, headings, links."""

import os
import re
import subprocess
from dataclasses import dataclass, field

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FENCE = re.compile(r"^ *(?P<ticks>`{3,}|~{3,}) *(?P<info>[^`]*)$")
RUN = re.compile(r"^<!-- run(?:: (?P<options>[^>]+?))? -->$")
NOT_RUN = re.compile(r"^<!-- not run: (?P<reason>\S.*) -->$")


@dataclass
class Block:
    """A fenced block, or a script hidden in a comment that begins with `<!-- run` and a line break."""

    path: str
    line: int  # of its first line of text, from 1
    language: str
    mark: str  # the line above the fence
    lines: list = field(default_factory=list)
    hidden: bool = False

    @property
    def place(self):
        return f"{self.path}:{self.line}"

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def commands(self):
        """The number of commands: without comments and here-documents, and with continued lines counted once."""
        count, until, continued = 0, None, False
        for line in self.lines:
            stripped = line.strip()
            if until is not None:
                until = None if stripped == until else until
                continue
            if not continued and stripped and not stripped.startswith("#"):
                count += 1
            continued = stripped.endswith("\\")
            here = re.search(r"<<-?\s*['\"]?(\w+)", line)
            until = here.group(1) if here else None
        return count


def files(*wanted):
    """Markdown files of the repository, or those in `wanted`, without ignored ones."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *(wanted or ["*.md"])],
        cwd=ROOT, capture_output=True, text=True,
    )
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:  # a tarball has no history
        names = []
        for folder, folders, inside in os.walk(ROOT):
            folders[:] = [name for name in folders if not name.startswith(".")]
            names += [os.path.relpath(os.path.join(folder, name), ROOT) for name in inside]
        names = [n for n in names if not wanted or any(n == w or n.startswith(w + "/") for w in wanted)]
    return sorted({n for n in names if n.endswith(".md") and os.path.exists(os.path.join(ROOT, n))})


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read().splitlines()


def blocks(path):
    """Every fenced block and hidden script of a file, in order."""
    found, block, ticks, indent, above, hidden = [], None, None, 0, "", None
    for number, line in enumerate(read(path), 1):
        if hidden is not None:
            if line.strip() == "-->":
                found.append(hidden)
                hidden, above = None, ""
            else:
                hidden.lines.append(line)
            continue
        fence = FENCE.match(line)
        if block is not None:
            if fence and not fence["info"].strip() and fence["ticks"].startswith(ticks):
                found.append(block)
                block, above = None, ""
            else:
                block.lines.append(line[min(indent, len(line) - len(line.lstrip())):])
        elif fence:
            ticks, indent = fence["ticks"], len(line) - len(line.lstrip())
            language = (fence["info"].split() or [""])[0]
            block = Block(path, number + 1, language, above.strip())
        elif line.strip() == "<!-- run":
            hidden = Block(path, number + 1, "sh", "<!-- run -->", hidden=True)
        else:
            above = line
    for unfinished in (block, hidden):
        if unfinished is not None:
            raise SystemExit(f"{unfinished.place}: the block that begins here has no end")
    return found


def prose(path):
    """(number, line) of everything that isn't in a fence or a comment, with code spans blanked out."""
    inside, ticks, comment = False, "", False
    for number, line in enumerate(read(path), 1):
        fence = FENCE.match(line)
        if inside:
            inside = not (fence and not fence["info"].strip() and fence["ticks"].startswith(ticks))
        elif fence:
            inside, ticks = True, fence["ticks"]
        elif comment or line.strip().startswith("<!--"):
            comment = "-->" not in line
        else:
            yield number, line


def anchors(path):
    """The anchors GitHub makes of the headings, and those written as HTML."""
    found, seen = set(), {}
    for _, line in prose(path):
        found.update(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", line))
        heading = re.match(r"^#{1,6}\s+(.*?)\s*#*\s*$", line)
        if not heading:
            continue
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
        text = re.sub(r"[`*]", "", text).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found
