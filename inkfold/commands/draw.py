"""``draw``: a canvas to write on, as a web page or as a window."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.bundle.bundle import Bundle, load_bundle, newest_bundle
from inkfold.commands.cli import echo, run
from inkfold.commands.options import only_option, reject_option, strict_option
from inkfold.errors import InkfoldError
from inkfold.extras import need

if TYPE_CHECKING:
    from inkfold.canvas.recogniser import Recogniser

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DESKTOP = ", or write in a window: --desktop"
EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104, compared with, not bound


@click.command("draw")
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option(
    "--keep",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("drawings"),
    show_default=True,
    help="Where drawings are kept, in class folders.",
)
@reject_option(
    "When it is not sure. auto: below a probability of 0.5, and of what does not look like one "
    "character; P: below the probability P alone.",
)
@strict_option
@only_option
@click.option("--desktop", is_flag=True, help="Open a window in place of a web page.")
def command(
    bundle: Path | None,
    *,
    host: str,
    port: int,
    no_browser: bool,
    folder: Path,
    reject: float | None,
    strict: bool,
    only: str | None,
    desktop: bool,
) -> int:
    """Write characters and see what a bundle takes them for.

    \b
    Examples:
        inkfold draw                                # a page on http://127.0.0.1:8000
        inkfold draw models/trained/cnn32 --desktop # a window
        inkfold create_dataset drawings             # packs what was kept

    What is drawn is prepared as the bundle's training pictures were, shown as the network sees it,
    and answered while one draws. BUNDLE is the newest under models/trained, or the one that comes
    along. The page is for this machine alone unless --host says otherwise; then anybody who can
    reach the address can draw and keep.
    """
    if not desktop:
        need("the page", "fastapi", "uvicorn", "python_multipart", otherwise=DESKTOP)
    loaded = load_bundle(bundle or newest_bundle())
    if desktop:
        from inkfold.canvas.desktop.window import open_window

        open_window(_recogniser(loaded, reject, only, strict=strict), folder)
        return 0
    with _listening(host, port) as listener:
        recogniser = _recogniser(loaded, reject, only, strict=strict)
        _serve(recogniser, folder, listener, host, browser=not no_browser)
    return 0


def _recogniser(
    bundle: Bundle, reject: float | None, only: str | None, *, strict: bool
) -> Recogniser:
    """The bundle, ready to answer; raises InkfoldError if it cannot answer a blank picture."""
    import numpy as np

    from inkfold.canvas.recogniser import UNSURE, Recogniser
    from inkfold.class_choice import chosen_classes
    from inkfold.classifier import Classifier
    from inkfold.prediction import Refusal

    chosen = None if only is None else chosen_classes(only, bundle.classes)
    classifier = Classifier(bundle, only=chosen)
    classifier.predict(np.zeros((1, bundle.spec.size, bundle.spec.size), np.uint8))
    refusal = Refusal.of(reject, strict=strict)
    return Recogniser(classifier, replace(refusal, below=UNSURE) if reject is None else refusal)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens already: a taken port is an error before the slow imports."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise InkfoldError(
            f"{host}, port {port}: {error.strerror or error}; choose another with --port "
            "(0 takes a free one) or --host"
        ) from None
    # asyncio sets this option on its own sockets only; without it each answer waits 40 ms for the
    # client to acknowledge its first half
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _serve(
    recogniser: Recogniser, folder: Path, listener: socket.socket, host: str, *, browser: bool
) -> None:
    """Serve the page on `listener` until a signal ends it."""
    from inkfold.canvas.kept_drawings import KeptDrawings
    from inkfold.canvas.web.app import create_app
    from inkfold.canvas.web.server import server_of

    port = listener.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    address = f"http://{'127.0.0.1' if host in EVERY_ADDRESS else name}:{port}/"
    hosts = ("*",) if host in EVERY_ADDRESS else (host, *LOOPBACK)
    collection = KeptDrawings(folder)
    collection.sweep()
    app = create_app(recogniser, collection, hosts)
    server = server_of(app, log_level="warning")
    echo(f"{address}  (Ctrl-C ends it; drawings are kept in {click.format_filename(folder)})")
    if browser:
        import webbrowser

        webbrowser.open(address)  # the socket listens already: the browser waits for the server
    server.run(sockets=[listener])


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``draw.py``; returns its exit code."""
    return run(command, argv)
