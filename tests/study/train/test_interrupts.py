"""An interrupt that is dropped on its way is raised again."""

import signal

import pytest

from study.train.interrupts import remembered


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_was_dropped_is_raised_at_the_next_occasion_and_at_the_end(number):
    outside = signal.signal(number, signal.default_int_handler)
    try:
        block = remembered()
        check = block.__enter__()
        check()
        with pytest.raises(KeyboardInterrupt):  # as where Ray's own code calls Python: there it ends
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            check()
        with pytest.raises(KeyboardInterrupt):
            block.__exit__(None, None, None)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, outside)
