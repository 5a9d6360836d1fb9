"""Vega-Lite and all that it needs to draw in a browser, as JavaScript."""

import functools


@functools.cache  # it takes seconds to make
def vega_bundle() -> str:
    """The script; it puts `vegaEmbed` into the page."""
    from vl_convert import javascript_bundle

    return javascript_bundle()  # pyright: ignore[reportCallIssue] (the stub lacks the default)
