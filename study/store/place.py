"""Which storage a store uses: its own folder, or what `--storage` named when its first part was written."""

import json
import re
from pathlib import Path

from study.store.errors import StoreError
from study.store.files import atomic
from study.store.folder import Folder
from study.store.storage import storage_at
from trainables.errors import SpecError

FILE = "storage.json"


def checked_folder(path: str | Path) -> Path:
    """The absolute path of a store's folder; StoreError for what is no path, or what DuckDB reads otherwise."""
    text = str(path)
    if not text.strip():
        raise StoreError(f"store {text!r} is empty: give the folder of a store, as in --store results.")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text):
        raise StoreError(
            f"store {text!r} is a URL, and a store is a folder of this machine. For parts in a bucket give a folder "
            f"and the bucket: --store results --storage s3://bucket/prefix."
        )
    folder = Path(path).absolute()
    if found := [letter for letter in "?\\" if letter in str(folder)]:
        raise StoreError(
            f"store '{folder}': DuckDB does not read {found[0]!r} in a path as it stands. Rename the folder."
        )
    return folder


def place_of(store_dir: Path) -> str:
    """The folder or URL in which a store keeps its parts, checkpoints and rungs: for `storage_at`, on any node."""
    path = store_dir / FILE
    try:
        return str(json.loads(path.read_text())["storage"])
    except FileNotFoundError:
        return str(store_dir)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpecError(
            f"file '{path}' does not say where the store's parts are ({error}): "
            f'write {{"storage": "s3://bucket/prefix"}} into it, or remove it if they are beside it.'
        ) from None


def settle(store_dir: Path, url: str | None) -> None:
    """Check that the store's storage can be read, and remember `url` for a new store; None = leave it as it is.

    SpecError for a URL that cannot work, or that is not the one that the store has.
    """
    remembered = (store_dir / FILE).exists()
    if url is not None:
        url = checked_url(url)
        if remembered and place_of(store_dir) != url:
            raise SpecError(
                f"--storage '{url}': store '{store_dir}' keeps its parts in '{place_of(store_dir)}' ({FILE} there says "
                f"so). Leave --storage out, or take another --store."
            )
        if not remembered and any(Folder(store_dir).names("parts")):
            raise SpecError(
                f"--storage '{url}': store '{store_dir}' has its parts in its own folder. Move the folders parts, "
                f"checkpoints and rungs there first, or take another --store."
            )
    storage_at(place_of(store_dir) if url is None else url).check()
    if url is not None and not remembered:
        with atomic(store_dir / FILE) as draft:
            draft.write_text(json.dumps({"storage": url}) + "\n")


def checked_url(url: str) -> str:
    """The URL without a slash at its end; SpecError for one that is none, or that holds a password."""
    if not re.match(r"[a-z][a-z0-9]*://.", url) or (url.startswith("file:") and not url.startswith("file:///")):
        raise SpecError(f"--storage {url!r} is no URL: give s3://bucket/prefix, or file:///a/path that all nodes have.")
    if re.match(r"\w+://[^/?]*@", url):
        raise SpecError("--storage has a password in its URL: put it into the environment (AWS_SECRET_ACCESS_KEY).")
    return url if "?" in url else url.rstrip("/")
