"""The documents as data: code blocks, inline code, links, anchors and tables of Markdown pages."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block. `line` is where its fence opens, counted from 1."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Table:
    """A table by cells, and the lines next to it that are not blank, '' at an end of the page."""

    header: list[str]
    rows: list[list[str]]
    above: str
    below: str

    def column(self, word: str) -> list[str]:
        """The cells below the first heading with this word in it."""
        number = next(i for i, name in enumerate(self.header) if word in name)
        return [row[number] for row in self.rows]


@dataclass(frozen=True)
class Page:
    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """All but the code blocks."""
        return FENCE.sub("", self.text)

    def blocks(self, language: str | None = None) -> list[Block]:
        """The code blocks of a language, or of all, in their order."""
        return [
            Block(found[1], found[2], self.text[: found.start()].count("\n") + 1)
            for found in FENCE.finditer(self.text)
            if language in (None, found[1])
        ]

    def links(self) -> list[str]:
        """Targets of links and pictures that are not on another site."""
        targets = re.findall(r"\]\(([^)\s]+)\)", self.prose)
        return [target for target in targets if not re.match(r"[a-z]+:", target)]

    def anchors(self) -> set[str]:
        """What a link to a heading of this page may say after #, as code hosts make it."""
        return {anchor(heading) for heading in re.findall(r"^#+ .*$", self.prose, re.MULTILINE)}

    def section(self, name: str) -> str:
        """The text below the heading of second level with this anchor, up to the next one."""
        parts = re.split(r"^(?=## )", self.text, flags=re.MULTILINE)
        return next(part for part in parts if anchor(part.splitlines()[0]) == name)

    def tables(self) -> list[Table]:
        lines, found, start = [*self.prose.splitlines(), ""], [], None
        for i, line in enumerate(lines):
            if line.startswith("|") and start is None:
                start = i
            elif not line.startswith("|") and start is not None:
                rows = [cells(row) for row in lines[start:i]]
                above = next((text for text in reversed(lines[:start]) if text.strip()), "")
                below = next((text for text in lines[i:] if text.strip()), "")
                found.append(Table(rows[0], rows[2:], above, below))
                start = None
        return found


def anchor(heading: str) -> str:
    """What a link to this heading says after #."""
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def cells(row: str) -> list[str]:
    """The cells of one line of a table."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def spans(text: str) -> list[str]:
    """Inline code, in its order."""
    return re.findall(r"`([^`\n]+)`", text)


def plain(text: str) -> str:
    """Text without inline code and without the targets of links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"\]\([^)]*\)", "]", text))


PAGES = [Page(path) for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))]


def page(name: str) -> Page:
    """The page with this path from the root of the repository."""
    return next(page for page in PAGES if str(page) == name)
