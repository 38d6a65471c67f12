"""The command line of packing: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkfold.commands.create_dataset import main
from inkfold.dataset.reader import open_dataset
from tests.worlds.drawn_pictures import encode, glyph, raw_png, save, write_classes, write_picture
from tests.worlds.photographs import drawn, photograph, plain
from tests.worlds.scripts import run_script


@pytest.fixture(autouse=True)
def _in_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an empty folder the working folder, where outputs go."""
    monkeypatch.chdir(tmp_path)


def test_a_first_session_needs_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    """Packing prints a line with counts and speed, then the command that comes next."""
    write_classes(Path("letters"), {"a": 40, "b": 30})

    code = main(["letters"])

    captured = capsys.readouterr()
    first, last = captured.out.splitlines()
    assert code == 0
    assert re.fullmatch(
        r"datasets/characters\.h5: 70 pictures of 2 classes \(56 / 7 / 7\) from letters; "
        r"70 files read in [\d.]+ s, [\d,]+ a second",
        first,
    )
    assert last == "next: inkfold augment"
    assert captured.err == ""
    with open_dataset("datasets/characters.h5") as dataset:
        assert dataset.train.images.shape == (56, 32, 32)
        assert dataset.spec.fit == "pad"


def test_the_rate_counts_every_file_that_was_read(capsys: pytest.CaptureFixture[str]) -> None:
    """With --per-class 5 the line tells of 10 pictures packed and of all 31 files read."""
    write_classes(Path("in"), {"a": 20, "b": 10})
    Path("in/a/empty.png").touch()

    assert main(["in", "-o", "d.h5", "--per-class", "5", "--allow-bad", "5"]) == 1

    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith("d.h5: 10 pictures of 2 classes (6 / 2 / 2) from in; 31 files read in ")


@pytest.mark.parametrize(
    ("classes", "options", "lines"),
    [
        (
            {"a": 9, "b": 9},
            ["--split", "0,0,1"],
            [
                "nothing to train on: no picture is in train; another --split puts some there",
                "next: inkfold evaluate BUNDLE 'my d.h5'",
            ],
        ),
        (
            {"a": 9, "b": 9},
            ["--split", "1,0,0"],
            [
                (
                    "nothing to validate with, which training needs: no picture is in validation; "
                    "another --split, or more pictures of a class, put some there"
                )
            ],
        ),
        (
            {"a": 9},
            [],
            ["nothing to train: there is one class, and a classifier needs two"],
        ),
        ({"a": 9, "b": 9}, [], ["next: inkfold augment 'my d.h5'"]),
    ],
)
def test_the_next_line_fits_what_was_made(
    classes: dict[str, int],
    options: list[str],
    lines: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file that cannot be trained on is not to be augmented; a test alone is to be measured."""
    write_classes(Path("in"), classes)

    assert main(["in", "-o", "my d.h5", *options]) == 0

    assert capsys.readouterr().out.splitlines()[1:] == lines


def test_a_folder_of_photographs_says_what_was_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """Without options photographs are fitted by their ink, and a line at the end says so."""
    rng = np.random.default_rng(0)
    for name in ("A", "B"):
        for place in range(3):
            taken = photograph(drawn(name, rng), replace(plain(rng), side=90, blur=0.5), rng)
            write_picture(Path("in") / name / f"{place}.png", taken)

    assert main(["in", "-o", "out.h5", "--workers", "1", "-q"]) == 0

    assert "photographs: 6, of which the writing was found, fit ink" in capsys.readouterr().err
    with open_dataset("out.h5") as dataset:
        assert (dataset.spec.fit, dataset.spec.threshold) == ("ink", "soft")
    assert main(["in", "-o", "scan.h5", "--workers", "1", "-q", "--capture", "scan"]) == 0
    with open_dataset("scan.h5") as dataset:
        assert (dataset.spec.fit, dataset.spec.capture) == ("pad", "scan")


def test_every_option_reaches_the_file() -> None:
    """The spec, the split, the seed and the choice of pictures are recorded as the options say."""
    write_classes(Path("in"), {"a": 40, "b": 30, "c": 3})

    code = main(
        shlex.split(
            "in -o made/d.h5 --size 20 --split 0.5,0.25,0.25 --seed 5 --fit ink --ink dark "
            r"--threshold otsu --per-class 20 --group-by '(\d+)\.png' --min-per-class 10 "
            "--workers 1 --allow-bad 3 --overwrite -q"
        )
    )

    assert code == 0
    with open_dataset("made/d.h5") as dataset:
        spec = dataset.spec
        assert (spec.size, spec.fit, spec.ink, spec.threshold) == (20, "ink", "dark", "otsu")
        assert spec.margin == 4 / 28
        assert dataset.classes == ("a", "b")
        assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 40
        options = dataset.provenance["options"]
    assert (options["seed"], options["group_by"]) == (5, r"(\d+)\.png")
    assert (options["per_class"], options["min_per_class"]) == (20, 10)
    assert options["split"] == [0.5, 0.25, 0.25]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--split", "80,10,10", "'80,10,10' adds up to 100; give three fractions from 0 to 1"),
        ("--split", "0.5,0.5", "'0.5,0.5' is not three numbers, like 0.8,0.1,0.1"),
        ("--split", "a,b,c", "'a,b,c' is not three numbers"),
        ("--split", "1.2,-0.1,-0.1", "give three fractions from 0 to 1 that add up to 1"),
        ("--split", "nan,nan,nan", "give three fractions from 0 to 1 that add up to 1"),
        ("--group-by", "(w", "'(w' is no regular expression: missing )"),
        ("--size", "3", "3 is not in the range 4<=x<=1024"),
        ("--fit", "crop", "'crop' is not one of"),
        ("--per-class", "0", "0 is not in the range x>=1"),
        ("--allow-bad", "101", "101.0 is not in the range 0"),
    ],
)
def test_a_wrong_option_is_an_error_before_any_work(
    option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the wrong value and what is expected, with exit code 2 and no file."""
    write_classes(Path("in"), {"a": 3})

    assert main(["in", option, value]) == 2
    assert message in capsys.readouterr().err
    assert not Path("datasets").exists()


def test_each_mistake_is_one_line_with_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing folder, and an output that exists, are one line each with exit code 2."""
    Path("out.h5").touch()

    codes = [main(["nowhere"]), main(["nowhere", "-o", "out.h5"])]

    assert codes == [2, 2]
    assert capsys.readouterr().err.splitlines() == [
        "error: nowhere: no such folder; expected a folder with one folder of pictures per class",
        "error: out.h5 already exists; add --overwrite or choose another with -o",
    ]


@pytest.mark.parametrize("output", ["in", "in/a/0000.png/d.h5", "n" * 250 + ".h5"])
def test_an_output_that_cannot_be_written_is_one_line(
    output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder, a path inside a file, and a name that is too long give exit code 2 and a line."""
    write_classes(Path("in"), {"a": 3})

    assert main(["in", "-o", output, "--overwrite"]) == 2
    assert re.fullmatch(r"error: .*; (give|choose|mend) .*\n", capsys.readouterr().err)


def test_three_fractions_may_be_rounded() -> None:
    """Fractions of a third with seven digits count as three fractions that add up to 1."""
    write_classes(Path("in"), {"a": 9})

    assert main(["in", "--split", "0.3333333,0.3333333,0.3333334", "-o", "d.h5"]) == 0
    with open_dataset("d.h5") as dataset:
        assert len(dataset.train) == len(dataset.validation) == len(dataset.test) == 3


def test_what_to_look_at_is_listed_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind of finding has a line on stderr with a count and examples; stdout has results."""
    write_classes(Path("in"), {"a": 20, "b": 20, "single": 1, "two": 2})
    for number in range(7):
        Path(f"in/a/notes{number}.txt").write_text("x")
    Path("in/empty").mkdir()
    shutil.copy("in/a/0000.png", "in/b/wrong.png")
    write_picture(Path("in/b/nothing.png"), np.full((9, 9), 250, np.uint8))

    code = main(["in", "-o", "d.h5", "--min-per-class", "2", "--group-by", "[a-b]/(..)0"])

    captured = capsys.readouterr()
    assert code == 0
    assert len(captured.out.splitlines()) == 2
    assert captured.out.splitlines()[1] == "next: inkfold augment d.h5"
    lines = captured.err.splitlines()
    assert lines[0].startswith("ignored: 7: 'a/notes0.txt' (not a picture), 'a/notes1.txt'")
    assert lines[0].endswith(" and 2 more")
    assert lines[1:6] == [
        "classes without pictures: 1: 'empty'",
        "classes with too few pictures: 1: 'single' (1)",
        "classes that miss a split: 1: 'two' (no validation, no test)",
        "unequal classes: 'b' has 22 pictures, 'two' 2",
        "blank: 1: 'b/nothing.png'",
    ]
    assert lines[6].startswith("pictures of unknown group, each a group of its own: ")
    assert lines[7:] == [
        "pictures with the pixels of another picture, in the same split: 1",
        "the same pixels under two labels: 1: 'a/0000.png' and 'b/wrong.png'",
    ]


def write_damaged(folder: Path) -> dict[str, str]:
    """Write files that cannot be read: the path of each as stderr shows it, and the reason."""
    picture = encode(".png", glyph(np.random.default_rng(1)))
    a = folder / "a"
    (a / "truncated.png").write_bytes(picture[:60])
    (a / "zero.png").touch()
    (a / "text.png").write_text("Dear Sir or Madam")
    (a / "huge.png").write_bytes(raw_png([bytes(2500)] * 20_000, 20_000, depth=1, colour=0))
    (a / "dangling.png").symlink_to("nowhere.png")
    (a / "new\nline 😀 'and' \"quote\".png").write_bytes(picture[:90])
    (a / "loop").symlink_to(folder)
    (folder / "empty").mkdir()
    expected = {
        "'a/truncated.png'": "truncated or not a picture",
        "'a/zero.png'": "empty file",
        "'a/text.png'": "truncated or not a picture",
        "'a/huge.png'": "20,000 x 20,000 pixels, 50 megapixels are allowed",
        "'a/dangling.png'": "no such file or directory",
        repr("a/new\nline 😀 'and' \"quote\".png"): "truncated or not a picture",
    }
    (a / "locked.png").write_bytes(picture)
    (a / "locked.png").chmod(0)
    if not os.access(a / "locked.png", os.R_OK):  # the superuser may read it
        expected["'a/locked.png'"] = "permission denied"
    return expected


@pytest.mark.parametrize("workers", ["1", "2"])
def test_damaged_files_are_named_and_the_others_are_packed(tmp_path: Path, workers: str) -> None:
    """Each damaged file is a line of stderr with its reason; the script ends with exit code 1."""
    write_classes(tmp_path / "in", {"a": 30, "b": 30})
    write_picture(tmp_path / "in/b/good\n😀'\".png", glyph(np.random.default_rng(2)))
    expected = write_damaged(tmp_path / "in")

    arguments = ["in", "-o", "d.h5", "--workers", workers]
    refused = run_script("create_dataset.py", *arguments, cwd=tmp_path)
    done = run_script("create_dataset.py", *arguments, "--allow-bad", "12", cwd=tmp_path)

    assert refused.returncode == 2
    assert re.fullmatch(r"error: [67] of 68 files cannot be read .*\n", refused.stderr.decode())
    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    named = [line.removeprefix("unreadable: ") for line in lines if line.startswith("unreadable")]
    assert sorted(named) == sorted(f"{path}: {reason}" for path, reason in expected.items())
    assert "classes without pictures: 1: 'empty'" in lines
    assert "ignored: 1: 'a/loop' (a link to a folder that it lies in)" in lines
    with open_dataset("d.h5") as dataset:
        sources = dataset.train.source + dataset.validation.source + dataset.test.source
    assert len(sources) == 68 - len(expected)
    assert "b/good\n😀'\".png" in sources


def test_every_format_is_packed_and_others_are_counted_as_unreadable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """GIF, AVIF and JPEG 2000 are packed; a JPEG XL is named, and the exit code is 1."""
    rng = np.random.default_rng(0)
    for name in ("GIF", "AVIF", "JPEG2000", "WEBP", "PPM"):
        for number in range(3):
            path = Path("in") / name / f"{number}.{name.lower()}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(save(name, glyph(rng)))
    Path("in/GIF/z.jxl").write_bytes(b"\xff\x0a" + bytes(40))
    Path("in/GIF/notes.txt").write_text("no picture")

    refused = main(["in", "-q"])
    error = capsys.readouterr().err
    code = main(["in", "-q", "--allow-bad", "10"])

    out, err = capsys.readouterr()
    assert (refused, code) == (2, 1)
    assert "1 of 16 files cannot be read (6.25 %)" in error
    assert "JPEG XL is not read; save the picture as PNG" in error
    assert "15 pictures of 5 classes" in out
    assert err.splitlines()[:2] == [
        "unreadable: 'GIF/z.jxl': JPEG XL is not read; save the picture as PNG",
        "ignored: 1: 'GIF/notes.txt' (not a picture)",
    ]


def test_a_class_of_an_unread_format_is_an_error_with_its_count(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A folder of JPEG XL files does not vanish: the error has their number and their format."""
    write_classes(Path("in"), {"a": 10})
    Path("in/b").mkdir()
    for number in range(5):
        Path(f"in/b/{number}.jxl").write_bytes(b"\xff\x0a" + bytes(40))

    assert main(["in", "-q"]) == 2
    assert (
        "5 of 15 files cannot be read (33.3 %), the first is 'b/0.jxl': JPEG XL is not read; "
        "save the picture as PNG; 1 % are allowed"
    ) in capsys.readouterr().err


def test_files_of_several_frames_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Animations and documents of several pages are packed by their first one, which is said."""
    write_classes(Path("in"), {"a": 10, "b": 10})
    frames = [Image.fromarray(glyph(np.random.default_rng(seed))) for seed in (100, 200)]
    for name in ("moving.gif", "pages.tif"):
        frames[0].save(f"in/a/{name}", save_all=True, append_images=frames[1:])

    assert main(["in", "-q"]) == 0
    assert (
        "files of several frames or pages, of which the first was read: 2: "
        "'a/moving.gif', 'a/pages.tif'"
    ) in capsys.readouterr().err.splitlines()


def test_the_bytes_are_the_same_for_one_two_and_three_workers(tmp_path: Path) -> None:
    """The script writes equal files with 1, 2 and 3 workers, and again with 2."""
    write_classes(tmp_path / "in", {"a": 200, "Ж": 300, "漢": 50})
    files = []
    for run, workers in enumerate((1, 2, 3, 2)):
        output = f"{run}.h5"
        done = run_script(
            "create_dataset.py", "in", "-o", output, "--workers", str(workers), cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        files.append((tmp_path / output).read_bytes())

    assert files[0] == files[1] == files[2] == files[3]


def test_a_folder_with_any_name_can_be_packed(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder's name may hold bytes that are not UTF-8; the printed next command is quoted."""
    folder = Path(os.fsdecode(b"in \xff"))
    write_classes(folder, {"a": 3, "b": 3})

    assert main([str(folder), "-o", "my data.h5"]) == 0
    assert "next: inkfold augment 'my data.h5'" in capsys.readouterr().out


def test_split_folders_are_said_and_a_zip_of_them_gives_the_same_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was recognised stands on stderr, with the counts that the folders hold."""
    for split, seed in (("Train", 1), ("Test", 2)):
        write_classes(Path("in") / split, {"a": 10, "b": 10}, seed=seed)
    shutil.make_archive("in", "zip", "in")

    codes = [main(["in", "-o", "d.h5"]), main(["in.zip", "-o", "z.h5"])]

    lines = capsys.readouterr().err.splitlines()
    assert codes == [0, 0]
    assert lines[:2] == [
        "split folders above the class folders: 20 / 0 / 20 pictures of train / validation / test",
        "no validation was given: 2 pictures of train are it",
    ]
    assert Path("d.h5").read_bytes() == Path("z.h5").read_bytes()


def test_classes_come_from_a_table_with_any_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """A row whose picture is missing is named, the others are packed, and the exit code is 1."""
    write_classes(Path("in"), {"scans": 20})
    names = sorted(path.name for path in Path("in/scans").iterdir())
    rows = [f"scans/{name};{'αβ'[n % 2]}" for n, name in enumerate(names)]
    Path("t.csv").write_text("Datei;Zeichen\n" + "\n".join([*rows, "scans/x.png;α"]))

    code = main(
        shlex.split("in --labels t.csv --columns path=Datei,label=Zeichen -o d.h5 --allow-bad 9")
    )

    captured = capsys.readouterr()
    assert code == 1
    assert "unreadable: 'scans/x.png': no such file or directory" in captured.err
    with open_dataset("d.h5") as dataset:
        assert dataset.classes == ("α", "β")
        assert dataset.provenance["options"]["labels"] == "table"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--label-by x --labels t.csv", "both say the class"),
        ("--layout splits --label-by x", "--layout is about class folders"),
        ("--columns path=x", "--columns is about a table"),
        ("--columns path --labels t.csv", "'path' is not like path=FILE,label=CHARACTER"),
        ("--label-by (", "'(' is no regular expression"),
        ("--labels nowhere.csv", "nowhere.csv: no such file; expected a table"),
    ],
)
def test_options_that_exclude_each_other_are_refused(
    options: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says which of them to leave out, with exit code 2 and no file."""
    write_classes(Path("in"), {"a": 3})

    assert main(["in", "-o", "d.h5", *options.split()]) == 2
    assert message in capsys.readouterr().err
    assert not Path("d.h5").exists()


def test_names_that_the_eye_cannot_tell_apart_are_warned_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Code points stand beside names that look the same; a and A are listed and no warning."""
    write_classes(Path("in"), {"a": 10, "A": 10, "b": 10, "b\u200b": 10})

    assert main(["in", "-o", "d.h5"]) == 0

    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "warning: classes that look the same: 1: 'b' (U+0062) and 'b\\u200b' (U+0062 U+200B)",
        "classes that differ by case alone: 1: 'A' (U+0041) and 'a' (U+0061)",
    ]


def test_a_single_class_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A classifier needs two classes; the file is written all the same."""
    write_classes(Path("in"), {"a": 10})

    assert main(["in", "-o", "d.h5"]) == 0
    assert "one class alone, 'a': a classifier needs at least 2" in capsys.readouterr().err
