"""What may go wrong with a store."""

from trainables.errors import SpecError


class StoreError(SpecError):
    """A store that cannot be read or written, or a query that it cannot answer."""


class QueryError(StoreError):
    """What DuckDB refuses: its first line. `details` is all that it says, with near names and a caret."""

    def __init__(self, details: str) -> None:
        super().__init__(details.strip().splitlines()[0])
        self.details = details.strip()


class StoreBusy(StoreError):
    """Another process kept the store for longer than the timeout."""


class StoreUnusable(StoreError):
    """A database file that this version cannot read, and that a writer makes anew from the parts; `why` is one word."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class PartError(StoreError):
    """A part that does not go in: not the bytes that were written, not ours, or too large."""


class StorageError(OSError, SpecError):
    """A storage that cannot be used: to a worker the same as a full disk, to a user one line."""
