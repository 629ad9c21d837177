"""Where the arithmetic happens, and with which random numbers."""

import os
import threading
from contextlib import contextmanager

import torch

MMAP_THRESHOLD_MAX = (32 << 20) - (64 << 10)
"""Bytes of a block just below glibc's largest dynamic threshold, with its alignment."""


def resolve_device(device):
    """Return the device that "auto" stands for here, or the given one.

    Raises
    ------
    ValueError
        If the device is not available on this machine.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return next(name for name, is_here in available.items() if is_here)
    kind = device.split(":")[0]
    if kind not in available:
        raise ValueError(
            f"device={device!r} is not known; use 'auto', 'cpu', 'cuda', 'mps', or one "
            "of several as 'cuda:1'."
        )
    if not available[kind]:
        raise ValueError(
            f"device={device!r} is not available on this machine; use device='auto' "
            "or 'cpu'."
        )
    return device


def device_or_auto(device):
    """Return a device if this machine has it, else "auto"."""
    if device == "auto":
        return device
    try:
        torch.empty(0, device=resolve_device(device))
    except (ValueError, RuntimeError, AssertionError):
        return "auto"
    return device


def keep_freed_memory():
    """Let the C library keep what a training step frees, for the next step.

    glibc returns free memory to the system once there is twice as much of it as the
    largest block it has seen freed, and every step then takes it anew, page by page:
    up to a fifth of the time of a fit in a fresh process. Freeing one block of the
    largest size that counts, which is never written to, settles it. To other
    libraries it is nothing.
    """
    torch.empty(MMAP_THRESHOLD_MAX, dtype=torch.uint8)


class OneThread:
    """Context in which torch computes on one thread.

    The networks are too small to gain from more, and lose much where other processes
    want the cores. Sums are then the same on every machine and for any `n_jobs`. The
    number of threads is torch's, and this thread's: at the end of its outermost block
    it is put back to what it was when the first of all blocks began.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._n_blocks = 0
        self._here = threading.local()

    def __enter__(self):
        # A thread takes the process's number at its first question, which must come
        # before the setting: another thread may put the number back meanwhile.
        n_threads = torch.get_num_threads()
        with self._lock:
            if self._n_blocks == 0:
                self._n_threads = n_threads
            self._n_blocks += 1
        self._here.depth = getattr(self._here, "depth", 0) + 1
        torch.set_num_threads(1)

    def __exit__(self, *exception):
        self._here.depth -= 1
        if self._here.depth == 0:
            torch.set_num_threads(self._n_threads)
        with self._lock:
            self._n_blocks -= 1


one_thread = OneThread()

_turn = threading.RLock()


def _renew_locks():
    """Replace the locks in a forked child, where nobody is left to release them."""
    global _turn
    _turn = threading.RLock()
    one_thread._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


@contextmanager
def seeded_torch(seed, device):
    """Seed torch inside the block, and leave its global state untouched.

    Initial weights and dropout draw from the one generator that torch has for the
    whole process, so the threads of a process take turns.
    """
    kind = torch.device(device).type
    devices = [] if kind == "cpu" else [torch.device(device)]
    # The CPU's generator is always saved, and "cpu" is no type of device to fork_rng.
    fork_type = "cuda" if kind == "cpu" else kind
    with (
        _turn,
        torch.random.fork_rng(devices, device_type=fork_type),
    ):
        torch.manual_seed(seed)
        yield


def random_states(device):
    """Return the states of torch's generators, of the CPU and of a device.

    Parameters
    ----------
    device : str
        Where the networks compute.

    Returns
    -------
    states : dict of str to Tensor
        The states, on the CPU; "device" is there if it is not the CPU.
    """
    states = {"cpu": torch.get_rng_state()}
    kind = torch.device(device).type
    if kind != "cpu":
        module = torch.get_device_module(kind)
        states["device"] = module.get_rng_state(torch.device(device))
    return states


def set_random_states(device, states):
    """Set the states of torch's generators to what `random_states` returned."""
    torch.set_rng_state(states["cpu"])
    kind = torch.device(device).type
    if kind != "cpu":
        module = torch.get_device_module(kind)
        module.set_rng_state(states["device"], torch.device(device))
