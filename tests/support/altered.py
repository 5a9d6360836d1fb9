"""Modules of the package that are altered in whatever process imports them: drivers, nodes and workers alike."""

from collections.abc import Mapping
from pathlib import Path

HOOK = '''
"""Runs some more lines in a module after its own."""
import importlib.abc, importlib.util, sys

LINES = {lines!r}

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in LINES:
            return None
        lines = LINES.pop(name)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            exec(lines, module.__dict__)
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
'''


def altered(folder: Path, lines: Mapping[str, str]) -> str:
    """A folder for PYTHONPATH; in its processes each of these modules ends with these lines."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(HOOK.format(lines=dict(lines)))
    return str(folder)
