"""Imports go one way, analysis -> study -> trainables, and the heavy ones stay where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("trainables", "study", "analysis")
BLOCKED = ("ray", "duckdb", "optuna", "pyarrow", "altair", "pandas", "sklearn", "scipy", "click", "rich")

DIGITS = "trainables/tasks/in_context_classification.py"
"""The one task with data from a package, which it imports where it needs it."""


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Top-level names of every import in a file, also of those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add((node.module or "").split(".")[0])
    return names


def importers(name: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for p in PACKAGES for path in files(p) if name in imports(path)}


def test_there_is_something_to_look_at():
    assert all(files(package) for package in PACKAGES)


def test_trainables_imports_neither_study_nor_analysis():
    assert not {path.name for path in files("trainables") if imports(path) & {"study", "analysis"}}


def test_of_study_only_the_command_line_and_the_live_page_import_analysis():
    found = {name for name in importers("analysis") if name.startswith("study/")}
    assert {name for name in found if not name.startswith("study/web/")} <= {
        "study/__init__.py",
        "study/cli/figure.py",
        "study/cli/main.py",
        "study/cli/results.py",
    }


ROOMS = ("cli", "web", "check", "train", "search", "plan", "store")
"""From the top of study/ to its ground: a room may import those after it."""


def room_of(module: str) -> str:
    """`plan` for study.plan.packing; the module itself for what stands in no room, such as study.spec."""
    return module.split(".")[1] if module.count(".") > 1 else module


def modules_imported(path: Path) -> set[str]:
    """Modules of every import in a file: `from study.store import parts` is study.store.parts."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            here = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {name if (ROOT / f"{name.replace('.', '/')}.py").exists() else str(node.module) for name in here}
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_study_imports_only_the_rooms_below_it(room):
    above = set(ROOMS[: ROOMS.index(room)])
    for path in files(f"study/{room}"):
        upwards = {name for name in modules_imported(path) if name.startswith("study.") and room_of(name) in above}
        assert not upwards, f"{path.relative_to(ROOT)} imports {upwards}"


def test_the_store_knows_no_specs():
    for path in files("study/store"):
        assert not {name for name in modules_imported(path) if name in ("study.spec", "trainables.spec")}, path


def test_no_two_files_import_each_other():
    paths = [path for package in PACKAGES for path in files(package)]
    known = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in paths}
    arrows = {name: modules_imported(ROOT / f"{name.replace('.', '/')}.py") & known for name in known}
    circles = {tuple(sorted((a, b))) for a, targets in arrows.items() for b in targets if a in arrows[b]}
    assert not circles


def test_no_source_file_is_longer_than_250_lines():
    sources = [path for p in PACKAGES for ending in ("*.py", "*.sql") for path in (ROOT / p).rglob(ending)]
    assert not {str(path): lines for path in sources if (lines := len(path.read_text().splitlines())) > 250}


def test_only_what_trains_imports_ray():
    assert {path.rpartition("/")[0] for path in importers("ray")} == {"study/train"}


def test_only_the_store_imports_duckdb():
    assert {path.rpartition("/")[0] for path in importers("duckdb")} == {"study/store"}


def test_only_the_task_with_the_digits_imports_scikit_learn():
    assert importers("sklearn") == {DIGITS}


@pytest.mark.parametrize("path", files("trainables"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_trainables_needs_only_torch_numpy_and_safetensors(path):
    allowed = {"torch", "numpy", "safetensors", "trainables"} | ({"sklearn"} if path == ROOT / DIGITS else set())
    assert imports(path) - set(sys.stdlib_module_names) <= allowed


def test_the_engine_trains_where_nothing_else_of_ours_is_installed():
    code = f"""
import sys
for name in {(*BLOCKED, "study", "analysis")!r}:
    sys.modules[name] = None
from trainables.engine import train_pack
from trainables.models import mlp
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import modular
spec = RunSpec(task=modular.Task(p=5), model=mlp.Model(width=4), optimizer=adamw.Optimizer())
states = train_pack([spec], horizon=2, record=lambda flush: None, device="cpu", compile="off")
print(states[0].stop_reason)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "horizon", done.stderr
