"""The accuracies at which first passages are stored, for each split: the columns `train_step_50` to `ood_step_99`."""

from importlib.resources import files

from study.store.sql_text import calls

SPLITS = ("train", "test", "ood")
LEVELS = {0.5: "50", 0.9: "90", 0.95: "95", 0.99: "99"}
"""Accuracy -> the end of the column's name."""


def expanded(sql: str) -> str:
    """SQL with each line that holds `{split}` and `{level}` written once per split and level."""
    lines = []
    for line in sql.splitlines():
        if "{level}" in line:
            lines += [
                line.replace("{split}", split).replace("{level}", level)
                for split in SPLITS
                for level in LEVELS.values()
            ]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def sql_of(name: str) -> str:
    """The statements of a file in study/store/sql."""
    return expanded(files("study.store").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8"))


def passages_macro() -> str:
    """The table macro `passages(threshold)`: all columns of `outcomes`, and the first passages of each split at one
    accuracy as `train_step`, `test_step` and `ood_step`; NULL at an accuracy that is not stored."""
    return f"create or replace macro passages(threshold) as table\n{_passages('threshold')}"


def without_macro(select: str) -> str:
    """A select with each `passages(...)` written out, on its line: a macro reads the view `outcomes`, whatever stands
    around it."""
    for begin, end, threshold in reversed(calls(select, "passages")):
        select = f"{select[:begin]}({_passages(threshold)}){select[end:]}"
    return select


def _passages(threshold: str) -> str:
    place = f"list_position({[*LEVELS]}::double[], {threshold})"
    steps = [
        f"[{', '.join(f'outcomes.{split}_step_{level}' for level in LEVELS.values())}][{place}] as {split}_step"
        for split in SPLITS
    ]
    return f"select {', '.join(['outcomes.*', *steps])} from outcomes"
