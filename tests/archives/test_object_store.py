"""Archives in a real S3 server on loopback: the same bytes as from the folder, by few requests."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from inkfold.archives.url import place
from inkfold.commands.classify import main as classify
from inkfold.commands.cli import Advance
from inkfold.crew import Crew
from inkfold.errors import InkfoldError
from inkfold.packing import stage
from inkfold.packing.pack import pack
from inkfold.workers import InProcess
from tests.archives.test_archive import archived
from tests.worlds.bands import write_bundle
from tests.worlds.bands import write_picture as write_band
from tests.worlds.clusters import cluster
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.object_store import BUCKET, CREDENTIALS, Request, Store, object_store
from tests.worlds.packing_run import SMALL, packed
from tests.worlds.scripts import run_script

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A server for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with object_store(tmp_path_factory.mktemp("store")) as store:
            yield store


@pytest.fixture
def store(server: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The server, which the environment of the test names."""
    from s3fs import S3FileSystem

    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    yield server
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes of drawn pictures, one of them damaged."""
    root = write_classes(tmp_path / "letters", {"b": 150, "a": 40, "漢": 110})
    (root / "b/0007.png").write_bytes(b"no picture")
    return root


def shuffled(folder: Path) -> bytes:
    """A zip file of the folder, whose members lie in no order."""
    paths = sorted(folder.rglob("*.png"))
    np.random.default_rng(0).shuffle(paths)
    target = folder.parent / "shuffled.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.relative_to(folder))
    return target.read_bytes()


def parts(requests: list[Request]) -> int:
    """How many requests asked for a part; no request may ask for a whole object."""
    assert {(each.method, each.status) for each in requests} <= {("HEAD", 200), ("GET", 206)}
    return sum(each.method == "GET" for each in requests)


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_an_object_packs_to_the_bytes_of_the_folder(
    store: Store, folder: Path, tmp_path: Path, ending: str
) -> None:
    """One request lists the archive, one reads its 300 pictures; three ask for its identity."""
    url = store.put(f"plain.{ending}", archived(folder, ending, wrapped=True).read_bytes())

    one = packed(folder, tmp_path / "folder.h5")
    other = packed(place(url), tmp_path / "object.h5")

    assert (tmp_path / "object.h5").read_bytes() == (tmp_path / "folder.h5").read_bytes()
    assert other.unreadable.first == one.unreadable.first
    requests = store.requests(f"plain.{ending}")
    assert parts(requests) == (1 if ending == "tar.gz" else 2)
    assert len(requests) <= 5


def test_a_piece_of_work_is_one_request_whatever_the_order_of_the_members(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members in no order are read as they lie: a request for the directory, ten for ten pieces."""
    monkeypatch.setattr(stage, "FILES", 30)
    monkeypatch.setattr(stage, "MOST_FILES", 30)
    url = store.put("shuffled.zip", shuffled(folder))

    one = packed(folder, tmp_path / "folder.h5")
    # started anew: other workers could have been forked before the server's address was set
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as two:
        crew = Crew(two, lambda: 2)
        other = packed(place(url), tmp_path / "object.h5", crew=crew)

    assert (tmp_path / "object.h5").read_bytes() == (tmp_path / "folder.h5").read_bytes()
    assert other.unreadable.first == one.unreadable.first
    assert other.blank.first == one.blank.first
    assert parts(store.requests("shuffled.zip")) == 1 + 10


def test_the_command_packs_an_object_and_leaves_nothing_open(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    """Two workers ask the store themselves; nothing is said of sessions that were not closed."""
    url = store.put("command.zip", archived(folder, "zip").read_bytes())
    options = ("--size", "12", "--workers", "2")

    one = run_script("create_dataset.py", folder, "-o", "one.h5", *options, cwd=tmp_path)
    env = {"PYTHONWARNINGS": "default"}
    other = run_script("create_dataset.py", url, "-o", "other.h5", *options, cwd=tmp_path, env=env)

    assert (one.returncode, other.returncode) == (1, 1), other.stderr
    assert b" from s3://letters/command.zip; 300 files read" in other.stdout
    assert other.stderr == one.stderr
    assert (tmp_path / "other.h5").read_bytes() == (tmp_path / "one.h5").read_bytes()


def test_a_table_in_an_object_says_the_classes(store: Store, tmp_path: Path) -> None:
    """URL/labels.csv is the table in the archive."""
    root = write_classes(tmp_path / "in", {"scans": 8})
    rows = [f"scans/{n:04d}.png,{'ab'[n % 2]}" for n in range(8)]
    (root / "labels.csv").write_text("path,label\n" + "\n".join(rows))
    url = store.put("table.zip", archived(root, "zip").read_bytes())
    line = ("-q", "--size", "12", "--workers", "1", "--labels")

    one = run_script("create_dataset.py", root, "-o", "1.h5", *line, root / "labels.csv", cwd=root)
    other = run_script("create_dataset.py", url, "-o", "2.h5", *line, f"{url}/labels.csv", cwd=root)

    assert (one.returncode, other.returncode) == (0, 0), other.stderr
    assert (root / "2.h5").read_bytes() == (root / "1.h5").read_bytes()


def test_workers_of_a_cluster_ask_the_store_themselves(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    """A piece of work names an address and places: the bytes are the folder's."""
    url = store.put("cluster.zip", shuffled(folder))

    packed(folder, tmp_path / "folder.h5")
    with cluster(tmp_path / "cluster", 2) as made:
        line = ("--cluster", made.file, "--size", "12", "-o", "object.h5", "--capture", "scan")
        done = run_script("create_dataset.py", url, *line, cwd=tmp_path)
    plain = run_script(
        "create_dataset.py", folder, *line[2:4], "-o", "f.h5", "--capture", "scan", cwd=tmp_path
    )

    assert (done.returncode, plain.returncode) == (1, 1), done.stderr
    assert (tmp_path / "object.h5").read_bytes() == (tmp_path / "f.h5").read_bytes()
    assert parts(store.requests("cluster.zip")) == 2


def test_an_object_that_is_replaced_meanwhile_is_refused(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    """Another object in its place, even of the same bytes, ends the run; nothing is written."""
    data = archived(folder, "zip").read_bytes()
    url = store.put("replaced.zip", data)

    @contextmanager
    def progress(label: str, _total: int | None) -> Iterator[Advance]:
        if label == "reading":
            store.put("replaced.zip", data + b"\0")
        yield lambda _count: None

    with pytest.raises(InkfoldError, match=r"replaced\.zip: changed while it was read"):
        pack(
            place(url),
            tmp_path / "d.h5",
            SMALL,
            crew=Crew(InProcess(), lambda: 1),
            overwrite=True,
            progress=progress,
        )
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://no-such-bucket/a.zip", "no such bucket or object"),
        (f"s3://{BUCKET}/missing.zip", "no such bucket or object"),
        (f"s3://{BUCKET}/prefix.zip", "is a folder; expected an archive"),
        (f"s3://{BUCKET}/damaged.zip", "a damaged archive, or none"),
        (f"s3://{BUCKET}/damaged.tar", "a damaged archive, or none"),
        (f"s3://{BUCKET}/empty.tar", "a damaged archive, or none"),
    ],
)
def test_what_is_no_archive_in_the_store_is_told_in_one_line(
    store: Store, tmp_path: Path, url: str, words: str
) -> None:
    """The address stands first; nothing is written."""
    store.put("prefix.zip/a/1.png", b"a picture")
    store.put("damaged.zip", b"PK\3\4 no more")
    store.put("damaged.tar", b"hello" * 400)
    store.put("empty.tar", b"")

    with pytest.raises(InkfoldError) as caught:
        packed(place(url), tmp_path / "d.h5")

    assert str(caught.value).startswith(url)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


class _Forbidding(BaseHTTPRequestHandler):
    """Answers that nothing may be read."""

    def do_GET(self) -> None:
        """403, for all that is asked."""
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815, the base class's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.usefixtures("store")
def test_a_store_that_forbids_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says that credentials are wanted."""
    server = HTTPServer(("127.0.0.1", 0), _Forbidding)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(InkfoldError, match=r"a\.zip: may not be read .*; set credentials"):
            packed(place(f"s3://{BUCKET}/a.zip"), tmp_path / "d.h5")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_store_that_is_not_there_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing listens the command ends by itself, with exit code 2."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    done = run_script("create_dataset.py", "s3://letters/a.zip", cwd=tmp_path, env=CREDENTIALS)

    assert done.returncode == 2
    assert done.stderr.startswith(b"error: s3://letters/a.zip: cannot be read (EndpointConnection")
    assert done.stderr.count(b"\n") == 1


def test_missing_credentials_are_told_in_one_line(tmp_path: Path) -> None:
    """A user without any gets no traceback."""
    empty = dict.fromkeys(CREDENTIALS, "") | {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    done = run_script("create_dataset.py", "s3://letters/a.zip", cwd=tmp_path, env=empty)

    assert done.returncode == 2
    assert b"; set credentials that may read it" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_classify_answers_the_pictures_of_an_object(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A line a picture, named by the address and its path in the archive, by one request."""
    monkeypatch.chdir(tmp_path)
    write_bundle(tmp_path / "bands")
    for number in range(40):
        write_band(tmp_path / f"in/{number % 4}/{number:02d}.png", number % 4)
    url = store.put("bands.zip", archived(tmp_path / "in", "zip", wrapped=True).read_bytes())

    assert classify(["--model", "bands", "-q", "in"]) == 0
    loose = capfd.readouterr().out
    assert classify(["--model", "bands", "-q", url]) == 0

    assert capfd.readouterr().out == loose.replace("in/", f"{url}/in/")
    assert parts(store.requests("bands.zip")) == 2


def test_classify_tells_that_an_object_was_replaced(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The answers stand, and the command ends with an error in place of its usual end."""
    monkeypatch.chdir(tmp_path)
    write_bundle(tmp_path / "bands")
    write_band(tmp_path / "in/1.png", 1)
    data = archived(tmp_path / "in", "zip").read_bytes()
    url = store.put("again.zip", data)
    from inkfold.archives import spans

    read = spans.Spans._of

    def and_replace(self: spans.Spans, number: int) -> bytes:
        store.put("again.zip", data + b"\0")
        return read(self, number)

    monkeypatch.setattr(spans.Spans, "_of", and_replace)

    assert classify(["--model", "bands", "-q", url]) == 2

    assert "again.zip: changed while it was read" in capfd.readouterr().err


def test_classify_on_a_cluster_reads_the_object_in_the_workers(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The lines are those of this machine, for objects and for archives on a disk."""
    monkeypatch.chdir(tmp_path)
    write_bundle(tmp_path / "bands")
    for number in range(40):
        write_band(tmp_path / f"in/{number % 4}/{number:02d}.png", number % 4)
    local = archived(tmp_path / "in", "tar")
    url = store.put("far.zip", archived(tmp_path / "in", "zip").read_bytes())
    compressed = archived(tmp_path / "in", "tar.gz")
    line = ["--model", "bands", "-q", url, local.name, "in", compressed.name]

    assert classify(line) == 0
    here = capfd.readouterr().out
    with cluster(tmp_path / "cluster", 2) as made:
        code = classify([*line, "--cluster", str(made.file)])

    out, err = capfd.readouterr()
    assert here.startswith(out)
    assert out.count("\n") == 120
    assert code == 1
    assert err.startswith(
        "error: archive-False.tar.gz: the workers of a cluster read no compressed"
    )
    assert parts(store.requests("far.zip")) <= 2 * 8
