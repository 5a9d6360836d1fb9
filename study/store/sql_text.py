"""SQL as text: where its comments and quotes are, its common table expressions, and the lines of its places.

DuckDB says whether a text is right; this says where in a file something stands, without importing it.
"""

import re

SKIPPED = re.compile(
    r"""--[^\n]*|/\*.*?\*/|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$""",
    re.DOTALL,
)
"""Comments and quoted text."""
WITH = re.compile(r"\s*with\s+(?:recursive\s+)?", re.IGNORECASE)
HEAD = re.compile(r"\s*(\w+)\s*(?:\([^()]*\)\s*)?as\s*(?:(?:not\s+)?materialized\s*)?\(", re.IGNORECASE)
COMMA = re.compile(r"\s*,")


def blanked(sql: str, comments_only: bool = False) -> str:
    """The text with spaces for its comments and for what is in quotes: each place and each line stays where it is."""

    def blank(found: re.Match[str]) -> str:
        if comments_only and not found[0].startswith(("--", "/*")):
            return found[0]
        return re.sub(r"[^\n]", " ", found[0])

    return SKIPPED.sub(blank, sql)


def ctes(sql: str) -> dict[str, tuple[int, int]]:
    """The common table expressions of a select by name in lower case: where each begins, and where it ends."""
    text, found = blanked(sql), dict[str, tuple[int, int]]()
    begin = WITH.match(text)
    at = begin.end() if begin else len(text)
    while head := HEAD.match(text, at):
        end = closing(text, head.end() - 1) + 1
        found[head[1].lower()] = head.start(1), end
        comma = COMMA.match(text, end)
        if comma is None:
            break
        at = comma.end()
    return found


def closing(text: str, opened: int) -> int:
    """The place of the parenthesis that closes the one at `opened`; the last place where there is none."""
    depth = 0
    for place in range(opened, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return len(text) - 1


def calls(sql: str, function: str) -> list[tuple[int, int, str]]:
    """The calls of a function: where each begins and ends, and its arguments without comments, on one line."""
    text, bare, found = blanked(sql), blanked(sql, comments_only=True), []
    for call in re.finditer(rf"\b{function}\s*\(", text, re.IGNORECASE):
        end = closing(text, call.end() - 1)
        found.append((call.start(), end + 1, " ".join(bare[call.end() : end].split())))
    return found


def without_end(sql: str) -> str:
    """A statement without the semicolon that ends it, and without space after it."""
    code = blanked(sql).rstrip()
    return (sql[: len(code) - 1] + sql[len(code) :]).rstrip() if code.endswith(";") else sql.rstrip()


def line_at(sql: str, place: int) -> int:
    """The number of the line on which a place is, from 1."""
    return sql.count("\n", 0, place) + 1


def literal(value: str) -> str:
    """Text as SQL takes it."""
    return "'" + value.replace("'", "''") + "'"
