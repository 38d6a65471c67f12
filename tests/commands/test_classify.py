"""The command line of classification: its lines, its errors, and the paths that it takes."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inkfold.classifier import Classifier
from inkfold.commands.classify import main
from inkfold.prediction import Likeliest
from tests.worlds.bands import CLASSES, SPEC, picture, write_bundle, write_picture
from tests.worlds.drawn_pictures import save
from tests.worlds.photographs import drawn, photograph, plain
from tests.worlds.scripts import ROOT, run_script
from tests.worlds.taught import BETWEEN, TWO, bar, write_taught

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a bundle in models/trained and one picture of each class."""
    monkeypatch.chdir(tmp_path)
    write_bundle(tmp_path / "models" / "trained" / "bands")
    for band in range(4):
        write_picture(tmp_path / f"{band}.png", band)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_each_picture_gets_a_line_in_the_order_given(capfd: Capture) -> None:
    """Without an option the newest bundle answers, a line a picture; stderr names the bundle."""
    code = main(["2.png", "0.png", "./2.png"])

    out, err = capfd.readouterr()
    assert (code, out) == (0, "2.png $c\n0.png あ\n./2.png $c\n")
    assert err == (
        "models/trained/bands answers: 4 classes; it cannot tell what is no character of its "
        "classes (inkfold calibrate models/trained/bands DATASET adds that)\n"
    )


def test_photographs_are_noticed(here: Path, capfd: Capture) -> None:
    """A bundle with the capture auto says which pictures it took for photographs, and how many."""
    write_bundle(here / "auto", spec=replace(SPEC, capture="auto"))
    rng = np.random.default_rng(0)
    cv2.imwrite("photo.png", photograph(drawn("A", rng), plain(rng), rng))

    main(["--model", "auto", "--format", "jsonl", "photo.png", "0.png"])
    lines, note = capfd.readouterr()
    main(["--model", "auto", "-q", "photo.png"])
    text, quiet = capfd.readouterr()

    first, second = map(json.loads, lines.splitlines())
    assert first["capture"] == "photo"
    assert "capture" not in second
    assert note.splitlines()[-1].startswith("note: 1 of 2 pictures taken for photographs")
    assert (text.split()[0], quiet) == ("photo.png", "")


def test_stderr_says_how_good_the_bundle_is(here: Path, capfd: Capture) -> None:
    """Stderr has the test score, else the validation score, and with -q nothing."""
    scores = {"test": {"correct": 8, "total": 10}, "validation": {"correct": 9, "total": 10}}
    write_bundle(here / "good", scores=scores)
    write_bundle(here / "fresh", scores={"validation": {"correct": 9, "total": 10}})

    main(["--model", "good", "0.png"])
    main(["--model", "fresh", "0.png"])
    main(["--model", "fresh", "-q", "0.png"])

    good, fresh = capfd.readouterr().err.splitlines()
    assert good.startswith("good answers: 4 classes, on test 8 of 10, 80.00 %")
    assert fresh.startswith("fresh answers: 4 classes, on validation 9 of 10, 90.00 %")


def test_one_bad_file_leaves_the_others_answered(here: Path, capfd: Capture) -> None:
    """A file that cannot be read is named on stderr with the reason, and the exit code is 1."""
    (here / "bad.png").write_text("no picture")

    code = main(["0.png", "bad.png", "missing.png", "3.png"])

    out, err = capfd.readouterr()
    assert (code, out) == (1, "0.png あ\n3.png ด\n")
    assert err.splitlines()[1:] == [
        "error: bad.png: truncated or not a picture",
        "error: missing.png: no such file or directory",
    ]


@pytest.mark.usefixtures("here")
def test_only_bad_paths_give_exit_code_1(capfd: Capture) -> None:
    """If no path can be read, stdout is empty and the exit code is 1."""
    assert main(["missing.png"]) == 1
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("here")
def test_no_path_is_a_usage_mistake(capfd: Capture) -> None:
    """Without a path the exit code is 2, and the error names the missing argument."""
    assert main([]) == 2
    assert "Missing argument 'PATH...'" in capfd.readouterr().err


def test_a_bundle_that_is_missing_or_damaged_gives_exit_code_2(here: Path, capfd: Capture) -> None:
    """A missing bundle, and a bundle with a changed file, are one line each and answer nothing."""
    with (here / "models/trained/bands/model.onnx").open("ab") as file:
        file.write(b"!")

    codes = [main(["--model", "nowhere", "0.png"]), main(["0.png"])]

    out, err = capfd.readouterr()
    assert (codes, out) == ([2, 2], "")
    missing, damaged = err.splitlines()
    assert missing.startswith("error: nowhere: no bundle here")
    assert damaged.startswith("error: models/trained/bands/model.onnx: sha256 is")


def test_an_empty_folder_is_named(here: Path, capfd: Capture) -> None:
    """A folder without pictures is named on stderr, and the other paths are answered."""
    (here / "empty").mkdir()

    assert main(["-q", "empty", "1.png"]) == 1
    assert capfd.readouterr() == ("1.png b b\n", "error: empty: no pictures in this folder\n")


def test_a_folder_stands_for_its_pictures(here: Path, capfd: Capture) -> None:
    """A folder's files are answered first, then those of the folders in it, sorted by name."""
    write_picture(here / "in" / "deep" / "x.png", 2)
    write_picture(here / "in" / "z.png", 3)

    assert main(["-q", "in"]) == 0
    assert capfd.readouterr().out == "in/z.png ด\nin/deep/x.png $c\n"


def test_csv_and_json_are_read_back(here: Path, capfd: Capture) -> None:
    """A path with a line end, a quote and an emoji is read back from CSV and from JSON."""
    name = 'new\nline "and" 🖋.png'
    write_picture(here / name, 1)

    main(["-q", "--top", "2", "--format", "csv", name])
    (row,) = csv.DictReader(capfd.readouterr().out.splitlines(keepends=True))
    main(["-q", "--top", "99", "--format", "jsonl", name])
    answer = json.loads(capfd.readouterr().out)

    assert (row["filename"], row["label"], row["label_2"]) == (name, "b b", "あ")
    assert float(row["probability"]) == pytest.approx(0.75)
    assert float(row["probability_2"]) == pytest.approx(1 / 12)
    assert (answer["path"], answer["label"]) == (name, "b b")
    assert [label for label, _ in answer["top"]] == ["b b", "あ", "$c", "ด"]


@pytest.mark.usefixtures("here")
def test_a_top_above_the_number_of_classes_names_all_classes(capfd: Capture) -> None:
    """With --top 99 and four classes, CSV has the columns of four classes."""
    main(["-q", "--top", "99", "--format", "csv", "0.png"])

    header, row = csv.reader(capfd.readouterr().out.splitlines())
    assert header[-3:] == ["label_4", "probability_4", "flag"]
    assert len(row) == len(header)


def test_a_label_below_the_threshold_is_withheld(here: Path, capfd: Capture) -> None:
    """Two bands, 0.45 for each of two classes, are withheld below --reject 0.5; 50 is an error."""
    both = np.maximum(picture(1), picture(2))
    (here / "both.png").write_bytes(cv2.imencode(".png", both)[1].tobytes())

    assert main(["-q", "--reject", "0.5", "both.png", "0.png"]) == 0
    assert capfd.readouterr().out == "both.png ?\n0.png あ\n"
    assert main(["-q", "--reject", "50", "both.png"]) == 2


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle that knows what its classes look like, and three pictures."""
    folder = tmp_path_factory.mktemp("taught")
    write_taught(folder)
    for name, image in {"one": bar(3), "two": TWO, "between": BETWEEN}.items():
        (folder / f"{name}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return folder


def answered(folder: Path, capfd: Capture, *options: str) -> list[str]:
    """The lines about the three pictures, without the paths of their folder."""
    pictures = [str(folder / f"{name}.png") for name in ("one", "two", "between")]

    assert main(["--model", str(folder / "bands"), *options, *pictures]) == 0
    return capfd.readouterr().out.replace(f"{folder}{os.sep}", "").splitlines()


def test_what_does_not_look_like_one_character_is_withheld(taught: Path, capfd: Capture) -> None:
    """Two bars and a bar between two classes are ?, with exit code 0; --reject 0 answers them."""
    withheld = ["one.png ด", "two.png ?", "between.png ?"]

    assert answered(taught, capfd) == withheld
    assert answered(taught, capfd, "--reject", "auto") == withheld
    assert answered(taught, capfd, "--reject", "0", "--strict") == withheld
    given = answered(taught, capfd, "--reject", "0")
    assert given == ["one.png ด", "two.png あ", "between.png b b"]


def test_withheld_labels_are_counted_at_the_end(taught: Path, capfd: Capture) -> None:
    """A note says how many labels were withheld for which flags, and how to get them."""
    pictures = [str(taught / name) for name in ("one.png", "two.png", "between.png")]
    notes = []
    for options in ([], ["--reject", "0"], ["--reject", "0", "--strict"], ["-q"]):
        main(["--model", str(taught / "bands"), *options, *pictures])
        notes.append([line for line in capfd.readouterr().err.splitlines() if "note:" in line])

    note = (
        "note: 2 of 3 pictures got no label, for they do not look like one character "
        "(several 1, unlike 1)"
    )
    assert notes == [[f"{note}; --reject 0 gives every label"], [], [note], []]


def test_the_flag_is_about_the_picture_and_not_the_chosen_classes(
    taught: Path, capfd: Capture
) -> None:
    """With --only a character of another class has no flag, and two characters keep theirs."""
    lines = answered(taught, capfd, "--only", "あ,$c", "--format", "csv")

    rows = list(csv.DictReader(lines))
    assert [row["flag"] for row in rows] == ["", "several", "unlike"]
    assert [bool(row["label"]) for row in rows] == [True, False, False]


def test_the_introduction_says_nothing_of_what_a_taught_bundle_knows(
    taught: Path, capfd: Capture
) -> None:
    """Only a bundle that cannot tell says so, with the command that teaches it."""
    main(["--model", str(taught / "bands"), str(taught / "one.png")])

    assert "calibrate" not in capfd.readouterr().err


def test_a_word_for_reject_must_be_auto(taught: Path, capfd: Capture) -> None:
    """Another word, and numbers that are no probabilities, end with exit code 2."""
    for wrong in ("always", "1.5", "-1", "nan"):
        assert main(["--model", str(taught / "bands"), "--reject", wrong, "a.png"]) == 2
        assert "neither auto nor a number from 0 to 1" in capfd.readouterr().err


BLANK = {
    "paper.png": np.full((9, 9), 255, np.uint8),
    "ink.png": np.zeros((9, 9), np.uint8),
    "clear.png": np.zeros((9, 9, 4), np.uint8),
    "grain.png": np.pad(np.full((5, 5), 206, np.uint8), 2, constant_values=200),
}


@pytest.mark.parametrize("name", BLANK)
def test_a_blank_picture_gets_no_label(name: str, here: Path, capfd: Capture) -> None:
    """All paper, all ink, full transparency and the grain of paper are called blank: exit 1."""
    (here / name).write_bytes(cv2.imencode(".png", BLANK[name])[1].tobytes())

    codes, lines = [], {}
    for form in ("text", "csv", "jsonl"):
        codes.append(main(["-q", "--format", form, name, "0.png"]))
        lines[form], err = capfd.readouterr()
        assert err == f"error: {name}: blank: nothing is written in this picture\n"

    assert codes == [1, 1, 1]
    assert lines["text"] == "0.png あ\n"
    assert lines["csv"].splitlines()[1] == f"{name},,,blank"
    answer = json.loads(lines["jsonl"].splitlines()[0])
    assert (answer["label"], answer["blank"]) == (None, True)


def test_further_frames_are_said_and_not_with_q(here: Path, capfd: Capture) -> None:
    """A GIF with two frames is answered by its first one; a note says so, except with -q."""
    first, second = (Image.fromarray(picture(band)) for band in (1, 2))
    first.save(here / "moving.gif", save_all=True, append_images=[second])

    codes = [main(["moving.gif", "0.png"]), main(["-q", "moving.gif"])]

    out, err = capfd.readouterr()
    assert codes == [0, 0]
    assert out == "moving.gif b b\n0.png あ\nmoving.gif b b\n"
    assert err.splitlines()[1:] == [
        "note: moving.gif: has several frames or pages; the first was answered"
    ]


def test_formats_that_are_not_read_are_named(here: Path, capfd: Capture) -> None:
    """Of a folder of pictures in other formats each file is an error with its format's name."""
    (here / "in").mkdir()
    (here / "in/a.jxl").write_bytes(b"\xff\x0a" + bytes(40))
    (here / "in/b.psd").write_bytes(b"8BPS\0\1" + bytes(40))
    (here / "in/notes.txt").write_text("no picture")
    (here / "in/c.gif").write_bytes(save("GIF", picture(3)))

    assert main(["-q", "in"]) == 1
    out, err = capfd.readouterr()
    assert out == "in/c.gif ด\n"
    assert err.splitlines() == [
        "error: in/a.jxl: JPEG XL is not read; save the picture as PNG",
        "error: in/b.psd: PSD is not read; save the picture as PNG",
    ]


def test_a_list_on_stdin_is_answered(here: Path) -> None:
    """The argument - stands for the paths on stdin, one a line, in its place among the others."""
    done = run_script("classify.py", "-q", "3.png", "-", "1.png", cwd=here, stdin=b"2.png\n0.png\n")

    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == "3.png ด\n2.png $c\n0.png あ\n1.png b b\n"


def test_a_list_with_zero_bytes_holds_any_name(here: Path) -> None:
    """In a list with zero bytes, names with line ends or other bytes than UTF-8 come back whole."""
    strange = [b"new\nline.png", b"byte\xff.png", "日本 🖋.png".encode()]
    for band, name in enumerate(strange):
        write_picture(here / os.fsdecode(name), band)

    done = run_script("classify.py", "-q", "-", cwd=here, stdin=b"\0".join([*strange, b"no\xfe"]))

    expected = zip(strange, CLASSES, strict=False)
    assert done.stdout == b"".join(name + f" {label}\n".encode() for name, label in expected)
    assert done.stderr == b"error: no\xfe: no such file or directory\n"
    assert done.returncode == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_list_that_windows_wrote_is_answered(here: Path, encoding: str) -> None:
    """A list with a byte order mark and line ends of Windows stands for the same paths."""
    write_picture(here / "日本 🖋.png", 3)
    listed = "0.png\r\n日本 🖋.png\r\n".encode(encoding)

    done = run_script("classify.py", "-q", "-", cwd=here, stdin=listed)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "0.png あ\n日本 🖋.png ด\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_list_without_its_mark_walks_no_folder(here: Path, encoding: str) -> None:
    """UTF-16 without its mark is one line of error with exit code 2, and no picture is answered."""
    listed = "./0.png\r\n./1.png\r\n".encode(encoding)

    done = run_script("classify.py", "-q", "-", cwd=here, stdin=listed)

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: the list of paths seems to be UTF-16 without")
    assert done.stderr.count(b"\n") == 1


def test_an_empty_list_is_named(here: Path) -> None:
    """An empty list on stdin is an error line, with exit code 1."""
    done = run_script("classify.py", "-q", "-", cwd=here)

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"error: -: no paths on stdin\n"


def test_paths_that_are_typed_are_answered_one_by_one(here: Path) -> None:
    """Each path that is typed on stdin is answered before the next one is typed."""
    command = [sys.executable, str(ROOT / "classify.py"), "-q", "-"]
    with subprocess.Popen(
        command, cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for band in (3, 0, 1):
            process.stdin.write(f"{band}.png\n".encode())
            process.stdin.flush()

            assert process.stdout.readline().decode() == f"{band}.png {CLASSES[band]}\n"
        process.stdin.close()
        assert process.wait() == 0


def test_a_reader_that_closes_the_pipe_ends_the_program_quietly(here: Path) -> None:
    """After ``| head -1`` has ended, the program ends without a traceback though stdin is open."""
    command = [sys.executable, str(ROOT / "classify.py"), "-q", "-"]
    with subprocess.Popen(
        command,
        cwd=here,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"0.png\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"1.png\n")
        process.stdin.flush()

        assert process.wait(timeout=20) != 0
        assert process.stderr.read() == b""


def test_damaged_files_are_named_and_the_good_ones_answered(here: Path) -> None:
    """Files cut short, empty, of text, too large, and circular links are errors of their own."""
    whole = (here / "0.png").read_bytes()
    damaged = here / "damaged"
    damaged.mkdir()
    (damaged / "cut.png").write_bytes(whole[: len(whole) // 2])
    (damaged / "empty.png").write_bytes(b"")
    (damaged / "loop.png").symlink_to("loop.png")
    (damaged / "text.png").write_text("this is no picture")
    huge = cv2.imencode(".png", np.full((20_000, 20_000), 255, np.uint8))[1]
    (damaged / "huge.png").write_bytes(huge.tobytes())
    (damaged / "hollow").mkdir()
    (damaged / "circle").symlink_to(damaged)
    write_picture(damaged / 'é\n"🖋".png', 3)
    write_picture(damaged / "z.png", 1)

    done = run_script("classify.py", "-q", "--format", "jsonl", "damaged", cwd=here)

    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert done.returncode == 1
    assert [(answer["path"], answer["label"]) for answer in answers if "label" in answer] == [
        ("damaged/z.png", "b b"),
        ('damaged/é\n"🖋".png', "ด"),
    ]
    failed = {answer["path"]: answer["error"] for answer in answers if "error" in answer}
    names = ("cut", "empty", "huge", "loop", "text")
    assert list(failed) == [f"damaged/{name}.png" for name in names]
    assert "20,000 x 20,000 pixels" in failed["damaged/huge.png"]
    assert done.stderr.decode().count("error: damaged/") == 5
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_paths(here: Path) -> None:
    """Ten times as many paths need less than a twentieth more memory."""
    measured = []
    for count in (2_000, 20_000):
        (here / "list").write_text("0.png\n" * count)
        code = (
            "import resource, subprocess, sys\n"
            "done = subprocess.run(sys.argv[1:], stdin=open('list'), stdout=subprocess.DEVNULL)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode)\n"
        )
        command = [sys.executable, "-c", code, sys.executable, str(ROOT / "classify.py"), "-q", "-"]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
        kilobytes, returned = done.stdout.split()
        assert returned == "0"
        measured.append(int(kilobytes))

    assert measured[1] < 1.05 * measured[0], measured


@pytest.mark.usefixtures("here")
def test_some_classes_alone_may_be_answered(capfd: Capture) -> None:
    """With --only the likeliest of the named classes is the answer; no other class is listed."""
    code = main(["--only", "あ,$c", "--top", "9", "0.png", "1.png"])

    out, err = capfd.readouterr()
    words = [line.split() for line in out.splitlines()]
    assert code == 0
    assert [line[1] for line in words] == ["あ", "あ"]
    assert [set(line[1::2]) for line in words] == [{"あ", "$c"}] * 2
    assert all(float(line[2]) + float(line[4]) == pytest.approx(1, abs=2e-4) for line in words)
    assert err.startswith("models/trained/bands answers: 2 of its 4 classes; ")


@pytest.mark.usefixtures("here")
def test_an_unknown_class_is_refused_before_any_answer(capfd: Capture) -> None:
    """The line names the closest class, the exit code is 2, and nothing is answered."""
    code = main(["--only", "あ,c", "0.png"])

    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert "'c' is no class of the bundle; closest: '$c'" in err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
@pytest.mark.parametrize("source", ["argument", "list"])
def test_an_archive_stands_for_the_pictures_in_it(kind: str, source: str, capfd: Capture) -> None:
    """A line a picture, named by the archive and the path in it, as of the unpacked folder."""
    for number in range(8):
        write_picture(Path(f"in/scans/{number % 2}/{number}.png"), number % 4)
    Path("in/notes.txt").write_text("no picture")
    path = shutil.make_archive("letters", kind, "in")
    name = Path(path).name

    assert main(["-q", "in"]) == 0
    loose = capfd.readouterr().out
    if source == "list":
        done = run_script("classify.py", "-q", "-", cwd=Path.cwd(), stdin=f"{name}\n".encode())
        out, code = done.stdout.decode(), done.returncode
    else:
        code = main(["-q", name])
        out = capfd.readouterr().out

    assert (code, out) == (0, loose.replace("in/", f"{name}/"))


@pytest.mark.usefixtures("here")
def test_archives_stand_among_other_paths(capfd: Capture) -> None:
    """Damaged and empty archives, and members that cannot be used, leave the others answered."""
    Path("damaged.zip").write_bytes(b"PK no more")
    with zipfile.ZipFile("empty.zip", "w") as archive:
        archive.writestr("notes.txt", "no picture")
    with zipfile.ZipFile("some.zip", "w") as archive:
        archive.write("2.png", "a/2.png")
        archive.writestr("../out.png", "leads out")
        archive.writestr("a/bad.png", "no picture")

    code = main(["-q", "0.png", "damaged.zip", "some.zip", "empty.zip", "gone.zip", "3.png"])

    out, err = capfd.readouterr()
    assert (code, out) == (1, "0.png あ\nsome.zip/a/2.png $c\n3.png ด\n")
    assert err.splitlines() == [
        (
            "error: damaged.zip: a damaged archive, or none (File is not a zip file); download or "
            "make it again"
        ),
        "error: some.zip/../out.png: leads out of the archive",
        "error: some.zip/a/bad.png: truncated or not a picture",
        "error: empty.zip: no pictures in this archive",
        "error: gone.zip: no such file or directory",
    ]


@pytest.mark.usefixtures("here")
def test_an_address_of_no_archive_is_an_error_line(capfd: Capture) -> None:
    """A single picture in a store, and a scheme that is not read, leave the others answered."""
    code = main(["-q", "s3://bucket/a.png", "http://host/a.zip", "0.png"])

    out, err = capfd.readouterr()
    assert (code, out) == (1, "0.png あ\n")
    assert [line.split(";")[0] for line in err.splitlines()] == [
        "error: s3://bucket/a.png: no archive by its ending",
        "error: http://host/a.zip: http:// is not read",
    ]


@pytest.mark.usefixtures("here")
def test_an_archive_that_changes_while_it_is_read_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """Answers of two archives may be mixed then: exit code 2, and a line that says so."""
    with zipfile.ZipFile("some.zip", "w") as archive:
        archive.write("2.png", "a/2.png")
    answer = Classifier.likeliest

    def and_write(self: Classifier, images: NDArray[np.uint8], top: int) -> Iterator[Likeliest]:
        with Path("some.zip").open("ab") as file:
            file.write(b"more")
        return answer(self, images, top)

    monkeypatch.setattr(Classifier, "likeliest", and_write)

    assert main(["-q", "some.zip"]) == 2
    assert "some.zip: changed while it was read" in capfd.readouterr().err


@pytest.mark.usefixtures("here")
def test_a_compressed_tar_file_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unpacked to the folder for temporary files, which is empty afterwards."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    Path("in").mkdir()
    shutil.copy("2.png", "in/2.png")
    shutil.make_archive("letters", "gztar", "in")

    assert main(["-q", "letters.tar.gz"]) == 0
    assert not list(scratch.iterdir())
