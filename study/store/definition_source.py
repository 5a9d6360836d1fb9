"""The phase definition that a user gives: one of ours by name, a path to a file, or SQL text."""

import re
from pathlib import Path

from study.store.definitions import Definition, definitions, ours
from study.store.sql_text import without_end
from trainables.errors import SpecError

UNTITLED = "own"
"""The name of a text that does not say another one."""
NAMED = re.compile(r"^\s*--\s*name:\s*(.*?)\s*$", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")


def given_definition(given: str, beside: Path | None = None) -> Definition | None:
    """The definition that was given, checked, or None for a name that is not one of ours.

    A path is looked for in `beside`, then in the current folder. The name is the file's, or that of a comment `-- name:
    learned` in SQL text. SpecError, with file and line, for a text that does not work.
    """
    if given in definitions():
        return ours(given)
    if given.endswith(".sql") and "\n" not in given:
        return _of_file(given, beside)
    if re.search(r"\s|\(", given.strip()) or not given.strip():
        return _of_text(given)
    return None


def _of_file(given: str, beside: Path | None) -> Definition:
    said = f"phase definition {given!r}"
    folders = [folder for folder in (beside, Path.cwd()) if folder is not None]
    path = next((folder / given for folder in folders if (folder / given).exists()), None)
    if path is None:
        looked = " or ".join(dict.fromkeys(f"'{folder}'" for folder in folders))
        raise SpecError(f"{said} does not exist in {looked}. Give the path of an SQL file, or one of ours by name.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise SpecError(f"{said} cannot be read: {reason}.") from None
    return _checked(path.stem, text, said)


def _of_text(text: str) -> Definition:
    head = text.lower().partition("with")[0]
    named = NAMED.search(text[: len(head)])
    name = named[1] if named else UNTITLED
    return _checked(name, text, f"phase definition {name!r}, given as text")


def _checked(name: str, text: str, said: str) -> Definition:
    """The definition of this name and text; SpecError where it does not work."""
    from study.store.definition_check import why_not  # duckdb takes a moment to import

    if not NAME.fullmatch(name):
        raise SpecError(f"{said}: the name {name!r} may hold letters, digits, '_' and '-' only. Rename it.")
    definition = Definition(name, without_end(text))
    if problem := why_not(definition):
        raise SpecError(f"{said}{problem}")
    return definition
