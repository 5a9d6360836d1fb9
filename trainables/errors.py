"""The one error for what a user wrote; it knows no package of ours, so everyone can import it."""


class SpecError(ValueError):
    """A spec, a study, an axis or a value that cannot work: one line with the thing, the value and the mend."""

    def __str__(self) -> str:
        """One line, whatever the value holds."""
        return " ".join(super().__str__().splitlines())

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the line, without the way through our code that led to it."""
        return [f"{type(self).__name__}: {self}"]
