"""docs/results.md, its plan, and the records of the bundles that it is made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.field import AFFINE_OFF, training
from benchmarks.field_page import (
    BEGIN,
    LOGS,
    PAGE,
    Record,
    cell,
    of_ours,
    of_seeds,
    records,
    tables,
    with_tables,
)
from benchmarks.field_plan import MILD, OURS, RUNS, SETS, VARIANTS, Augmentation, Run, packing
from benchmarks.field_plots import gain
from inkfold.metrics import Rate
from tests.worlds.scripts import ROOT

DONE = records()


def of_our_network(
    data: str, augmentation: Augmentation, epochs: int, *, seed: int = 0, variant: str = ""
) -> Run:
    """A run of our network."""
    return Run(
        data=data,
        network=OURS,
        augmentation=augmentation,
        epochs=epochs,
        seed=seed,
        variant=variant,
    )


def test_the_page_is_made_from_the_records() -> None:
    """Writing the page again from the records changes nothing: no figure was edited by hand."""
    text = PAGE.read_text(encoding="utf-8")

    assert with_tables(text, tables(DONE)) == text


def test_logs_hold_the_planned_runs_only_and_hold_them_whole() -> None:
    """Each folder of logs/field is a planned run's, with its record, its history and its log."""
    names = {run.name for run in RUNS}

    assert len(names) == len(RUNS)
    assert {path.name for path in LOGS.iterdir()} <= names
    for path in LOGS.iterdir():
        assert {"bundle.json", "history.csv", "training.log"} <= {
            file.name for file in path.iterdir()
        }


@pytest.mark.parametrize("name", DONE)
def test_a_record_is_of_the_run_that_it_stands_for(name: str) -> None:
    """A record has the plan's network, seed, augmentation and epochs, and the set's test size."""
    record, run = DONE[name].bundle, DONE[name].run
    amounts = record["recipe"]["distortion"]
    affine = any(amounts[word] for word in ("rotate", "scale", "shear", "shift"))

    assert record["name"] == run.network
    assert record["seed"] == run.seed
    assert record["options"]["augment"] == (
        "online" if run.augmentation in {"elastic", "online"} else "none"
    )
    assert run.augmentation != "elastic" or not affine
    at_most = record["recipe"]["stages"][0]["decay"] == "none"
    refit = "--refit" in run.words
    epochs = run.epochs * (1 + refit)  # the search's and its own
    assert record["epochs"] == epochs or (at_most and record["epochs"] < epochs)
    assert record["refit"] is refit
    expected = {"mnist": 10_000, "kmnist": 10_000, "emnist47": 116_323, "kanji": 1_884}[run.data]
    assert record["scores"]["test"]["total"] == expected


def test_the_readme_shows_one_row_a_set_as_the_records_have_it() -> None:
    """Epochs, counts, shares and intervals of our network, a row for each set."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [f"{data}-{OURS}-online" for data in ("mnist", "kmnist", "kanji")]
    epochs = {name: str(DONE[name].bundle["epochs"]) for name in names}
    epochs[f"emnist47-{OURS}-online-mild"] = "10 and 10"  # a search and a refit
    for name, count in epochs.items():
        rate = DONE[name].test
        assert rate.interval is not None
        low, high = (f"{100 * end:.2f}" for end in rate.interval)
        share = f"{100 * rate.correct / rate.total:.2f} %"
        row = f"| {count} | {rate.correct:,} of {rate.total:,}, {share} ({low} to {high}) |"

        assert row in readme
    assert readme.count(" right on the test split ") == 1, "one table"
    assert readme.count(" of 10,000, ") == 2


def test_every_network_and_every_augmentation_is_planned() -> None:
    """The plan has every network twice on EMNIST-47, and ours on four sets in four ways."""
    networks = {path.stem for path in (ROOT / "models").glob("*.py")}
    field = {(run.network, run.augmentation) for run in RUNS if run.data == "emnist47"}
    ours = {(run.data, run.augmentation) for run in RUNS if run.network == OURS}

    assert {(network, how) for network in networks for how in ("plain", "online")} <= field
    assert {run.variant for run in RUNS} == {"", *VARIANTS}
    assert ours == {
        (data, how) for data in SETS for how in ("plain", "tenfold", "elastic", "online")
    }
    seeds = {
        run.seed
        for run in RUNS
        if (run.data, run.network, run.augmentation, run.variant) == ("kmnist", OURS, "online", "")
    }
    assert seeds == {0, 1, 2}


def test_a_run_is_trained_as_its_name_says() -> None:
    """Augmentation, epochs, seed and variant of a run are arguments of the model's script."""
    data, bundle = Path("d.h5"), Path("b")
    words = {
        how: [str(word) for word in training(of_our_network("kanji", how, 3, seed=2), data, bundle)]
        for how in ("plain", "tenfold", "elastic", "online")
    }

    assert words["plain"] == words["tenfold"]
    assert words["plain"][:4] == [f"models/{OURS}.py", "d.h5", "-o", "b"]
    assert words["plain"][-4:] == ["--epochs", "3", "--seed", "2"]
    assert words["online"] == [*words["plain"], "--augment", "online"]
    assert words["elastic"] == [*words["online"], *AFFINE_OFF]
    mild = training(of_our_network("emnist47", "online", 3, variant="mild"), data, bundle)
    assert [str(word) for word in mild][-len(MILD) - 1 :] == [*MILD, "--refit"]


def test_each_network_sees_pictures_of_its_size() -> None:
    """The name of a packed file, set and view, gives the command that packs it."""
    commands = {run.packed: packing(run.packed, "F") for run in RUNS}

    assert commands["emnist47-bw64"][2:] == [
        *("--size", "64", "--fit", "stretch", "--threshold", "otsu"),
    ]
    assert commands["emnist47-28"] == ["benchmarks/emnist47.py", "F/", "--size", "28"]
    assert commands["emnist47-ours"][2:] == ["--fit", "ink", "--threshold", "soft"]
    assert commands["kanji-ours"] == ["create_dataset.py", "F/kanji"]
    assert commands["mnist-ours"] == ["import_data.py", "idx", "F/mnist"]
    for data in ("mnist", "kmnist"):
        most = ["import_data.py", "idx", f"F/{data}", "--split", "0.98,0.02,0"]
        assert commands[f"{data}-most"] == most


def test_the_interval_of_a_gain_is_newcombes() -> None:
    """In Newcombe's example (a) 56 of 70 against 48 of 80 gives 0.2, from 0.0524 to 0.3339."""
    assert gain(Rate(56, 70), Rate(48, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_a_cell_shows_share_interval_and_counts() -> None:
    """A rate is shown as share, interval and counts, and a run that is not done as a dash."""
    assert cell(Rate(8, 10)) == "80.00 % (49.02 to 94.33), 8 of 10"
    assert cell(None) == "–"


def test_seeds_of_one_run_are_summed_up() -> None:
    """98, 99 and 97 of 100 have the mean 98 and the standard deviation 1; one seed has no line."""
    runs = [of_our_network("kmnist", "online", 30, seed=seed) for seed in range(3)]
    done = {
        run.name: Record(run, {"scores": {"test": {"correct": right, "total": 100}}}, None)
        for run, right in zip(runs, (98, 99, 97), strict=True)
    }

    (line,) = of_seeds(done)

    assert line == (
        "3 seeds of kmnist-residual32-online: 98 and 99 and 97 right of 100; "
        "mean 98.00 %, standard deviation 1.00 points."
    )
    assert not list(of_seeds({runs[0].name: done[runs[0].name]}))


def test_a_variant_has_a_name_and_a_row_of_its_own() -> None:
    """A variant has a row with its description, and is not a seed of the run that it varies."""
    runs = (
        of_our_network("kmnist", "online", 30),
        of_our_network("kmnist", "online", 36, variant="most"),
    )
    bundle = {
        "epochs": 2,
        "refit": False,
        "dataset": {"pictures": {"train": 10}},
        "scores": {"test": {"correct": 98, "total": 100}},
    }
    done = {run.name: Record(run, bundle, None) for run in runs}

    assert list(done) == ["kmnist-residual32-online", "kmnist-residual32-online-most"]
    assert not list(of_seeds(done))
    _, _, first, second = of_ours(done)
    assert "98 % of the official training pictures" in second
    assert "98 % of" not in first
    assert "| 20 |" in first


def test_a_page_without_its_marks_is_refused() -> None:
    """A page that lacks the marks between which the tables are written is an error."""
    with pytest.raises(ValueError, match="lacks"):
        with_tables(BEGIN, "x")
