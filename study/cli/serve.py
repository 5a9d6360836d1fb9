"""`study serve`: the live page of a store; and the same page beside a command that trains."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from study.cli.options import json_option, store_option
from study.cli.output import note, print_json

PORT = 8080
HOST = "127.0.0.1"
LAST_NEWS_SECONDS = 2.0
"""Most open pages ask for the last results within so long."""
ENDING_SECONDS = 5

serve_option = click.option("--serve", "serving", is_flag=True, help="Show the live page meanwhile, see `study serve`.")


@click.command()
@store_option
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--host", default=HOST, show_default=True, help="Another one needs a token, which is printed.")
@click.option("--beside", is_flag=True, hidden=True, help="End when stdin does.")
@json_option
def serve(store: str, port: int, host: str, beside: bool, as_json: bool) -> None:
    """A page to watch: studies, phase diagrams, runs and SQL in a browser, while they train and after.

    \b
    Example: study serve
             study serve --store results --port 8081

    It only reads, beside whatever trains, and nothing leaves this machine. From another machine look at it through
    ssh: `ssh -L 8080:127.0.0.1:8080 HOST`, then open http://127.0.0.1:8080/ there. Ctrl-C ends it.
    With --json one object comes at the start: the address.
    """
    from study.store.database import Store
    from study.web import server

    if beside:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    opened = Store.open(store, memory=server.MEMORY)

    def say(address: str) -> None:
        if as_json:
            print_json({"address": address})
        else:
            note(f"study: the page is at {address}")

    server.serve(opened, host, port, say)


@contextmanager
def served(store: str, wanted: bool) -> Iterator[None]:
    """The live page in a process of its own until the block ends, if it is `wanted`, so that what trains does not wait
    for pages. It ends with this process, however that ends."""
    if not wanted:
        yield
        return
    port = _free_port()
    line = [sys.executable, "-m", "study", "serve", "--store", store, "--port", str(port), "--beside"]
    page = subprocess.Popen(line, stdin=subprocess.PIPE)  # it says its address once it listens
    try:
        yield
        with suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            page.wait(LAST_NEWS_SECONDS)
    finally:
        page.terminate()
        try:
            page.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:  # in the middle of a long query
            page.kill()
            page.wait()
        note(f"study: the page has ended; `study serve --store {shlex.quote(store)}` shows it again.")


def _free_port() -> int:
    """The usual port, or another one where somebody has it."""
    for port in (PORT, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((HOST, port))
            except OSError:
                continue
            return tried.getsockname()[1]
    return PORT  # no port is free: the page says so itself


def _end_with_stdin() -> None:
    while os.read(0, 1024):  # `sys.stdin` has a lock, which this thread would hold when Python ends
        pass
    os.kill(os.getpid(), signal.SIGINT)
