"""Addresses of a Ray, as `--address` and RAY_ADDRESS give them."""

import os
import re

from trainables.errors import SpecError

HOST_PORT = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@?#]+):\d{1,5}"
OTHERS = {
    "ray": "is for Ray's client, which trains no study",
    "http": "is of a dashboard, which takes jobs: `study submit` has an --address for it",
    "https": "is of a dashboard, which takes jobs: `study submit` has an --address for it",
}


def check_address(address: str) -> None:
    """SpecError unless `--address` is auto, local or HOST:PORT."""
    _check(address, "--address", "")


def check_environment() -> None:
    """SpecError unless RAY_ADDRESS is one of these, or unset."""
    mend = " Unset it, or give --address local, to train on this machine."
    _check(os.environ.get("RAY_ADDRESS") or "auto", "RAY_ADDRESS", mend)


def _check(address: str, name: str, mend: str) -> None:
    if address in ("auto", "local") or re.fullmatch(HOST_PORT, address):
        return
    scheme, _, rest = address.partition("://")
    if rest and scheme in OTHERS:
        raise SpecError(f"{name} {address!r} {OTHERS[scheme]}. Give HOST:PORT of the head, as in head:6379.{mend}")
    raise SpecError(f"{name} {address!r} is neither auto, local nor HOST:PORT.{mend}")
