"""A set whose files are replaced between an importer's two readings of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inkfold.crew import Crew
from inkfold.errors import InkfoldError
from inkfold.importers.formats import FORMATS
from inkfold.packing.public_set import Importing, import_collection
from inkfold.spec import ImageSpec
from inkfold.workers import InProcess
from tests.importers.test_casia import put as put_casia
from tests.importers.test_casia import sample
from tests.importers.test_etl import b_record
from tests.importers.test_etl import put as put_etl
from tests.importers.test_hasy import put as put_hasy
from tests.worlds.foreign_files import MAPPING, write_all, write_stack
from tests.worlds.packing_run import silent
from tests.worlds.pages import WRITERS

# every format whose files are read twice, and one of these files
READ_TWICE = {
    "idx": "train-images-idx3-ubyte",
    "emnist": "emnist-letters-train-labels-idx1-ubyte",
    "npz": "k49-train-imgs.npz",
    "csv": "any.csv",
    "hasy": "hasy-data-labels.csv",
    "casia": "1.gnt",
    "etl8b": "ETL8B2C1",
    "mat": "mine.mat",
    "coco": "annotations/instances.json",
    "yolo": "labels/1.txt",
    "voc": "Annotations/1.xml",
    "page-xml": "page/1.xml",
    "alto": "1.xml",
}


def written(folder: Path, name: str) -> Path:
    """A small set of a format."""
    if name == "hasy":
        return put_hasy(folder, "31,A,50", "32,B,50")
    if name == "casia":
        return put_casia(folder / "1.gnt", 2 * sample()).parent
    if name == "etl8b":
        return put_etl(folder, ETL8B2C1=b"\0" * 512 + b_record(0x2422))
    if name in WRITERS:
        WRITERS[name](folder)
        return folder
    if name == "mat":
        return write_stack(folder / "mine.mat").parent
    place = write_all(folder)[name]
    if name == "emnist":
        (place / "emnist-letters-mapping.txt").write_text(MAPPING)
    return place


@pytest.mark.parametrize("name", READ_TWICE)
def test_a_set_that_is_replaced_while_it_is_imported_is_refused(tmp_path: Path, name: str) -> None:
    """Labels of one file and pictures of another never become a dataset: nothing is written."""
    source, output = written(tmp_path / "set", name), tmp_path / "out" / "d.h5"
    collection = FORMATS[name].read(source)
    file = source / READ_TWICE[name]
    shutil.copy(file, tmp_path / "copy")
    (tmp_path / "copy").replace(file)

    with pytest.raises(
        InkfoldError, match=r"changed while it was read .another file is in its"
    ) as e:
        import_collection(
            collection,
            output,
            Importing(format=name, spec=ImageSpec(size=12)),
            crew=Crew(InProcess(), lambda: 1),
            overwrite=False,
            progress=silent,
        )
    assert str(file) in str(e.value)
    assert not output.exists()
    assert list(output.parent.iterdir()) == []


def test_a_set_that_breaks_off_because_it_was_replaced_is_told_so(tmp_path: Path) -> None:
    """The error of the other file, here a label that nobody knew, is not what is reported."""
    source = put_hasy(tmp_path / "set", "31,A,50", "32,B,50")
    collection = FORMATS["hasy"].read(source)
    put_hasy(source, "77,Z,1", "32,B,50", "32,B,50")

    with pytest.raises(InkfoldError, match=r"hasy-data-labels.csv: changed while it was read"):
        import_collection(
            collection,
            tmp_path / "d.h5",
            Importing(format="hasy", spec=ImageSpec(size=12)),
            crew=Crew(InProcess(), lambda: 1),
            overwrite=False,
            progress=silent,
        )
