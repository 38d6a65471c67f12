"""The files that a training run writes under ``logs/``."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from inkfold.errors import InkfoldError
from inkfold.training.log import TrainingLog, log_line


def row(epoch: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401, figures
    """The history's row of an epoch, with the fields in `more` replaced."""
    common = {"epoch": epoch, "phase": "search", "stage": 1, "learning_rate": 0.01, "loss": 0.5}
    validation = {"validation_loss": 0.25, "validation_correct": 3, "validation_total": 4}
    return (
        common
        | {"accuracy": 0.75}
        | validation
        | {"pictures": 100, "best": 1, "seconds": 1.5}
        | more
    )


def test_a_line_has_counts_before_shares() -> None:
    """An epoch's line ends with counts and share on validation; a refit's has no validation."""
    refit = {name: value for name, value in row(12).items() if "validation" not in name}

    assert log_line(row(12)) == (
        "epoch  12  search stage 1  rate 0.01     loss 0.5000  accuracy 0.7500  "
        "validation loss 0.2500  right 3/4 (75.00 %)  1.5 s"
    )
    assert log_line(refit).endswith("accuracy 0.7500  1.5 s")


def test_a_file_in_the_place_of_the_logs_folder_is_refused(tmp_path: Path) -> None:
    """A file or a broken link where the log's folder should be is told in one line."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")

    for name in ("file", "link"):
        with pytest.raises(InkfoldError, match=f"{name} is no folder; move it away"):
            TrainingLog(tmp_path / name, []).__enter__()


def test_a_resumed_run_leaves_the_log_of_an_uninterrupted_one(tmp_path: Path) -> None:
    """Text, table and TensorBoard's events hold every epoch once, in the order of the epochs."""
    history = [row(1), row(2, loss=0.25), row(3)]
    with TrainingLog(tmp_path, ["what was trained"]) as log:
        log.epoch_done(history[:1])
        log.epoch_done(history[:2])
    with TrainingLog(tmp_path, ["what was trained"]) as log:
        log.write_summary("the network")
        log.epoch_done(history)
        log.finish(history, ["the end"])

    lines = (tmp_path / "training.log").read_text().splitlines()
    assert lines == ["what was trained", *map(log_line, history), "the end"]
    assert (tmp_path / "summary.txt").read_text() == "the network\n"
    with (tmp_path / "history.csv").open() as file:
        assert [int(line["epoch"]) for line in csv.DictReader(file)] == [1, 2, 3]
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [
        (1, 0.5),
        (2, 0.25),
        (3, 0.5),
    ]
    assert [event.value for event in events.Scalars("validation_accuracy")] == [0.75] * 3


def test_a_path_that_is_no_text_is_spelt_out_in_the_log(tmp_path: Path) -> None:
    """The header may name a dataset whose path has stray bytes; they are escapes in the log."""
    with TrainingLog(tmp_path, ["tiny on d\udcff.h5"]) as log:
        log.epoch_done([row(1)])

    assert (tmp_path / "training.log").read_text().startswith("tiny on d\\udcff.h5\n")


def test_an_event_that_the_disk_refuses_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    """Where no byte more may be written, an epoch's event is no silent loss in a thread."""
    code = f"""
import resource, signal
from pathlib import Path
from inkfold.training.events import EventFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with EventFile(Path({str(tmp_path)!r}) / "tensorboard") as events:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60, resource.RLIM_INFINITY))
        events.add(1, {{"loss": 0.5}})
except OSError as error:
    print(error.strerror, error.filename)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.startswith(f"File too large {tmp_path}/tensorboard/events.out.tfevents.")
