"""An interrupt that is dropped on its way is raised again."""

import signal

import pytest

from study.interrupts import remembered


def test_an_interrupt_that_was_dropped_is_raised_at_the_next_occasion():
    outside = signal.signal(signal.SIGINT, signal.default_int_handler)
    with remembered() as check:
        check()
        with pytest.raises(KeyboardInterrupt):  # as where Ray's own code calls Python: there it ends
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()
    assert signal.signal(signal.SIGINT, outside) is signal.default_int_handler
