"""Run docs/first-session.ipynb and keep what it shows: ``python docs/site/run_notebook.py``.

The notebook is committed with its outputs, so that it can be read where nothing runs. A digest of
its code is kept with them; tests/test_notebook.py refuses outputs of other code.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

NOTEBOOK = Path(__file__).resolve().parents[1] / "first-session.ipynb"
TIMEOUT = 900  # seconds for a cell; the longest takes 40 where two processors do nothing else


def read() -> Any:  # noqa: ANN401, nbformat's own class is a dict of anything
    """The notebook as it is kept."""
    import nbformat

    return nbformat.read(NOTEBOOK, as_version=4)


def digest(notebook: Any) -> str:  # noqa: ANN401, as above
    """Hexadecimal SHA-256 of all code of a notebook."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return sha256("\0".join(code).encode()).hexdigest()


def run(notebook: Any, folder: Path) -> None:  # noqa: ANN401, as above
    """Run every cell from the top down in `folder`; its outputs replace those of the notebook.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises an error, or a command in it fails.
    """
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
    )
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    client.execute(env=os.environ | {"PATH": programs})
    notebook.metadata["language_info"] = {"name": "python"}  # without the version that ran it
    notebook.metadata["code_digest"] = digest(notebook)


def main() -> None:
    """Run the notebook in a folder of its own and write it back."""
    import nbformat

    notebook = read()
    with TemporaryDirectory() as folder:
        run(notebook, Path(folder))
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
