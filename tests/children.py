"""Child processes of a test, of which none outlives it."""

import subprocess
from contextlib import contextmanager, suppress

import psutil


@contextmanager
def child_process(command, **options):
    """Start a process in a session of its own; at the end kill it and its children.

    torchrun starts its workers in sessions of their own, so that killing a process
    group would miss them.
    """
    process = subprocess.Popen(command, start_new_session=True, **options)
    with process:
        try:
            yield process
        finally:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        child.kill()
            process.kill()


def run_child(command, *, input=None, timeout=120, **options):
    """Run a process to its end, like `subprocess.run`; kill it with its test."""
    with child_process(command, **options) as process:
        out, err = process.communicate(input, timeout)
    return subprocess.CompletedProcess(command, process.returncode, out, err)
