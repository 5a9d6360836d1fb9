"""Objects in a bucket, through pyarrow: a storage that all nodes can reach, with the methods of `Folder`."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from pyarrow import fs

from study.store.errors import StorageError
from study.store.names import checked, is_name

COPY_BYTES = 1 << 26
"""Bytes per read when a whole file is fetched."""
HEADER_BYTES = 1 << 16
"""Bytes per read when only a header is needed."""


class Bucket:
    """Objects below a URL that pyarrow knows, such as `s3://bucket/prefix`; the same methods as `Folder`.

    Credentials, region and endpoint come from the environment. The client retries failures that pass.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        few_requests = "allow_delayed_open=true" if url.startswith("s3:") else ""  # one for a small object, not three
        with self._told():
            asked = url + ("&" if "?" in url else "?") * bool(few_requests) + few_requests
            self.files, root = fs.FileSystem.from_uri(asked)
        self.root = root.rstrip("/")

    def __str__(self) -> str:
        return self.url

    def names(self, below: str) -> Iterator[str]:
        """A thousand names are one request; see `Folder`."""
        with self._told():
            infos = self.files.get_file_info(fs.FileSelector(self._path(below), recursive=True, allow_not_found=True))
        found = (info.path.removeprefix(f"{self.root}/") for info in infos if info.type == fs.FileType.File)
        return (name for name in found if is_name(name))

    def exists(self, name: str) -> bool:
        return self._info(self._path(name)) is not None

    def stamp(self, name: str) -> tuple[int, int]:
        info = self._info(self._path(name))
        if info is None:
            raise FileNotFoundError(f"{self.url}: {name} is not there.")
        return info.size, info.mtime_ns

    def read(self, name: str) -> bytes:
        with self._told(), self.files.open_input_file(self._path(name)) as file:
            return file.read()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with self._told(), self.files.open_input_file(self._path(name)) as file:
            yield io.BufferedReader(file, HEADER_BYTES)

    @contextmanager
    def fetched(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="study-") as folder:
            path = Path(folder, "fetched")
            with self._told(), self.files.open_input_stream(self._path(name)) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy, COPY_BYTES)
            yield path

    def write(self, name: str, data: bytes | pa.Buffer) -> None:
        with self._told():
            stream = self.files.open_output_stream(self._path(name))
            # One call and no `with`: after an error halfway, closing the stream would publish half an object.
            stream.write(data)
            stream.close()

    def create(self, name: str, data: bytes | pa.Buffer) -> None:
        """See `Folder`. pyarrow has no write that fails where something is, so that of two at the same moment the later
        one wins: the lease of the driver keeps them apart."""
        if self.exists(name):
            raise FileExistsError(f"{self.url}: {name} is there.")
        self.write(name, data)

    @contextmanager
    def drafted(self, name: str) -> Iterator[Path]:
        checked(name)
        with tempfile.TemporaryDirectory(prefix="study-") as folder:
            draft = Path(folder, "draft")
            yield draft
            with pa.memory_map(str(draft)) as file:
                self.write(name, file.read_buffer())

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError), self._told():
            self.files.delete_file(self._path(name))

    def remove_drafts(self, below: str) -> None:
        """Nothing to do: drafts are in a temporary folder of the machine."""

    def delete_folder(self, name: str) -> None:
        """Nothing to do: a bucket has no folders."""

    def rename(self, name: str, new_name: str) -> None:
        with self._told():
            self.files.move(self._path(name), self._path(new_name))

    def check(self) -> None:
        """StorageError unless the bucket is there and can be read."""
        bucket = self.root.partition("/")[0] or self.root
        if not bucket or self._info(bucket) is None:
            raise StorageError(f"storage '{self.url}': there is no bucket {bucket!r}. Make it first, or mend its name.")
        self.exists("parts")

    def check_writing(self) -> None:
        """StorageError if no object can be written and removed here."""
        name = f"write-check-{os.uname().nodename}-{os.getpid()}"
        self.write(name, b"written to see whether it can be")
        self.delete(name)

    def _info(self, path: str) -> fs.FileInfo | None:
        with self._told():
            info = self.files.get_file_info(path)
        return None if info.type == fs.FileType.NotFound else info

    def _path(self, name: str) -> str:
        return f"{self.root}/{checked(name)}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tells in one line what goes wrong; a missing object stays a FileNotFoundError."""
        try:
            yield
        except (FileNotFoundError, StorageError):
            raise
        except (OSError, pa.ArrowException) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(".")
            raise StorageError(
                f"storage '{self.url}' cannot be used ({reason}): look at its name, and at the credentials, "
                f"the region and the endpoint in the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL ...)."
            ) from error
