"""The comments of Swift files, joined across their lines, and the text of scripts."""

import bisect
import os
import re
import subprocess

import markdown

COMMENT = re.compile(r"^\s*///?(?: |$)\s*(?P<text>.*)$|(?:^|\s)//(?!/) (?P<trailing>.*)$")


class Block:
    """Consecutive comment lines as one text, with one blank between lines."""

    def __init__(self):
        self.text = ""
        self.starts, self.numbers = [], []

    def add(self, number, line):
        if self.text:
            self.text += " "
        self.starts.append(len(self.text))
        self.numbers.append(number)
        self.text += line.strip()

    def line(self, offset):
        """The number, from 1, of the line with the text at `offset`."""
        return self.numbers[bisect.bisect_right(self.starts, offset) - 1]


def of_swift(lines):
    """Every run of comment lines, and every comment at the end of a line of code."""
    blocks, block = [], None
    for number, line in enumerate(lines, 1):
        found = COMMENT.match(line) or COMMENT.search(line)
        if not found or found["text"] == "":
            block = None
            continue
        if found["text"] is None or block is None:
            block = Block()
            blocks.append(block)
        block.add(number, found["text"] if found["text"] is not None else found["trailing"])
        if found["text"] is None:
            block = None
    return blocks


def of_script(lines):
    """Every paragraph, without the marks in front of comments."""
    blocks, block = [], None
    for number, line in enumerate(lines, 1):
        line = re.sub(r"^\s*#+ ?", "", line)
        if not line.strip():
            block = None
            continue
        if block is None:
            block = Block()
            blocks.append(block)
        block.add(number, line)
    return blocks


def names(*folders):
    """Files of the repository in `folders`, without ignored ones."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=markdown.ROOT, capture_output=True, text=True,
    )
    if listed.returncode == 0:
        found = listed.stdout.splitlines()
    else:  # a tarball has no history
        found = [f for f in folders if os.path.isfile(os.path.join(markdown.ROOT, f))]
        for folder in folders:
            for place, _, inside in os.walk(os.path.join(markdown.ROOT, folder)):
                found += [os.path.relpath(os.path.join(place, name), markdown.ROOT) for name in inside]
    return sorted({name for name in found if os.path.isfile(os.path.join(markdown.ROOT, name))})


def of_repository():
    """(path, blocks) of each Swift file, script and build file."""
    for path in names("Sources", "Tests", "scripts", "Makefile", "Package.swift", ".ci"):
        if path.endswith((".json", ".pyc")):
            continue
        try:
            lines = markdown.read(path)
        except UnicodeDecodeError:  # an image or an archive for a test
            continue
        if path.endswith(".swift"):
            yield path, of_swift(lines)
        elif path.startswith(("scripts/", ".ci/")) or path == "Makefile":
            yield path, of_script(lines)
