"""A real S3 server on loopback, a process of its own that writes down each request."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 120  # seconds: a bound for a test that would hang, not a measure
BUCKET = "letters"
LISTENS = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")
COLOURS = re.compile(r"\x1b\[\d+m")
REQUEST = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/1\.1" (?P<status>\d+)')
# what a program finds in its environment; a folder without files stands for a user's own settings
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Request:
    """A request that the server has answered.

    Attributes
    ----------
    method : str
    path : str
    status : int
        206 for a part of an object.
    """

    method: str
    path: str
    status: int


@dataclass(frozen=True)
class Store:
    """A server with one bucket, "letters".

    Attributes
    ----------
    endpoint : str
        The server's address.
    log : Path
        What the server wrote.
    """

    endpoint: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a program that shall find the server."""
        return CREDENTIALS | {"AWS_ENDPOINT_URL": self.endpoint}

    def put(self, name: str, data: bytes) -> str:
        """Store an object; its address."""
        import boto3

        client = boto3.client("s3", endpoint_url=self.endpoint)
        try:
            client.put_object(Bucket=BUCKET, Key=name, Body=data)
        finally:
            client.close()
        return f"s3://{BUCKET}/{name}"

    def requests(self, name: str) -> list[Request]:
        """The requests about an object so far, without those that put it there."""
        found = REQUEST.finditer(COLOURS.sub("", self.log.read_text(errors="replace")))
        requests = [Request(each["method"], each["path"], int(each["status"])) for each in found]
        wanted = f"/{BUCKET}/{name}"
        return [each for each in requests if each.path == wanted and each.method != "PUT"]


@contextmanager
def object_store(folder: Path) -> Iterator[Store]:
    """A server whose log is in `folder`; it ends with the block. Skips where moto is missing."""
    for library in ("moto.server", "boto3", "s3fs"):
        pytest.importorskip(library)
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            env=os.environ | CREDENTIALS | {"HOME": str(folder)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        store = Store(_endpoint(server, log), log)
        _make_bucket(store)
        yield store
    finally:
        server.kill()
        server.wait()


def _endpoint(server: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server says where it listens."""
    deadline = time.monotonic() + PATIENCE
    while (found := LISTENS.search(log.read_text(errors="replace"))) is None:
        assert server.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found[1]


def _make_bucket(store: Store) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=store.endpoint)
    try:
        client.create_bucket(Bucket=BUCKET)
    finally:
        client.close()
