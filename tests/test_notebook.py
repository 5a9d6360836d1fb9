"""The notebook runs in a kernel, without a network for its pictures, and shows what it says."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples/first_map.ipynb"
CELL = """
from dataclasses import dataclass
from study.catalog.first_map import STUDY
from trainables.tasks import modular

@dataclass(frozen=True, kw_only=True)
class Task(modular.Task):
    pass

study.RunSpec(task=Task(), model=STUDY.base.model, optimizer=STUDY.base.optimizer, loss="mse")
"""


def outputs(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    """What the cells show of one kind, such as `text/html`."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return ["".join(output["data"][kind]) for output in shown if kind in output.get("data", {})]


@pytest.mark.ray
def test_the_notebook_runs_and_shows_a_bar_a_table_and_a_diagram(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not outputs(notebook, "text/html"), "it is kept without outputs"
    source = notebook.cells[1]["source"]
    assert 'study.run("first_map", store="results", seeds=2)' in source
    notebook.cells[1]["source"] = source.replace("seeds=2", "seeds=2, runs=20, compile='off'")
    notebook.cells.append(nbformat.v4.new_code_cell(CELL.strip(), metadata={"tags": ["raises-exception"]}))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    pages = outputs(notebook, "text/html")
    assert "<progress" in pages[0]
    assert "100%" in pages[0]
    assert any("<table" in page and "memorization" in page for page in pages)
    [picture] = outputs(notebook, "image/svg+xml")
    assert "first_map" in picture or "modulo 23" in picture
    [error] = [output for output in notebook.cells[-1]["outputs"] if output["output_type"] == "error"]
    assert len(error["traceback"]) == 1
    assert "is defined in a notebook or a script" in error["traceback"][0]
    assert "%%writefile my_task.py" in error["traceback"][0]
