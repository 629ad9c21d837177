"""Interrupt a call inside the package, as Ctrl-C does."""

import sys
from contextlib import contextmanager
from inspect import CO_GENERATOR
from pathlib import Path

import pytest
from sklearn.base import clone

import sklearn_makemore

PACKAGE = str(Path(sklearn_makemore.__file__).parent)


@contextmanager
def interrupted_at(call):
    """Raise `KeyboardInterrupt` when the package makes its n-th function call.

    Yields a list of the functions called so far, in order.
    """
    called = []

    def trace(frame, event, argument):
        code = frame.f_code
        # A generator is entered once more when it is thrown away, where nothing raises;
        # and what is interrupted as it puts things back cannot put them back.
        is_left_alone = code.co_flags & CO_GENERATOR or code.co_name == "__exit__"
        if code.co_filename.startswith(PACKAGE) and not is_left_alone:
            called.append(code.co_name)
            if len(called) == call:
                raise KeyboardInterrupt

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield called
    finally:
        sys.settrace(before)


def assert_interrupts_leave(model, train, before, is_unchanged):
    """Interrupt training at six places from its beginning to its end."""
    copied = clone(model)
    vars(copied).update(vars(model))
    with interrupted_at(None) as called:
        train(copied)
    n_calls = len(called)
    assert n_calls > 10
    for call in {1 + i * (n_calls - 1) // 5 for i in range(6)}:
        with pytest.raises(KeyboardInterrupt), interrupted_at(call):
            train(model)
        assert vars(model).keys() == before
        assert is_unchanged(model)
