"""Where the networks compute: device, threads, memory, random numbers, compilation."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


def resolve_device(device: str) -> str:
    """Return the device that "auto" means here, or the given one if it is available."""
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


def device_or_auto(device: str) -> str:
    """Return a device if this machine has it, or else "auto"."""
    if device == "auto":
        return device
    try:
        torch.empty(0, device=resolve_device(device))
    except (ValueError, RuntimeError, AssertionError):
        return "auto"
    return device


def plain_module(net: Any) -> Any:
    """Return the module of a net itself where torch.compile has wrapped it."""
    return getattr(net.module_, "_orig_mod", net.module_)


def keep_freed_memory() -> None:
    """Make the C library keep the memory that a training step frees.

    glibc returns free memory to the system if there is more than twice the size of the
    largest block freed so far. Each step then requests it again page by page, which
    takes up to a fifth of the time of a fit in a fresh process. Freeing one block of
    the largest size that counts, 32 MiB less its alignment, raises the threshold. The
    block is never written to, so it takes no memory. Other C libraries ignore it.
    """
    torch.empty((32 << 20) - (64 << 10), dtype=torch.uint8)


class OneThread:
    """Context in which torch computes on one thread.

    The networks are too small to gain from more threads, and are much slower if other
    processes need the cores. With one thread, sums are the same on every machine and
    for any `n_jobs`. At the end of its outermost block, each thread restores the number
    of threads that torch had when the first block of all threads began.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._n_blocks = 0
        self._here = threading.local()

    def __enter__(self):
        # A thread copies the process's number of threads when it first reads it. It
        # must read the number before it sets it, because another thread may restore it
        # in between.
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
    """Replace the locks in a forked child, where their holders do not exist."""
    global _turn
    _turn = threading.RLock()
    one_thread._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


@contextmanager
def seeded_torch(seed: int, device: str) -> Iterator[None]:
    """Seed torch inside the block, and leave its global state untouched.

    Initial weights and dropout draw from the one generator that torch has per process,
    so the threads of a process take turns.
    """
    kind = torch.device(device).type
    devices = [] if kind == "cpu" else [torch.device(device)]
    # fork_rng always saves the CPU's generator, and does not accept "cpu" as a type.
    fork_type = "cuda" if kind == "cpu" else kind
    with _turn, torch.random.fork_rng(devices, device_type=fork_type):
        seed_generators(seed, device)
        yield


def seed_generators(seed: int, device: str) -> None:
    """Seed torch's generators of the CPU and of a device.

    `torch.manual_seed` also seeds those of all other devices.
    """
    torch.default_generator.manual_seed(seed)
    kind = torch.device(device).type
    if kind == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif kind == "mps":
        torch.mps.manual_seed(seed)


def random_states(device: str) -> dict[str, Tensor]:
    """Return the states of torch's generators as tensors on the CPU.

    The key "cpu" always exists; "device" exists if the device is not the CPU.
    """
    states = {"cpu": torch.get_rng_state()}
    kind = torch.device(device).type
    if kind != "cpu":
        module = torch.get_device_module(kind)
        states["device"] = module.get_rng_state(torch.device(device))
    return states


def set_random_states(device: str, states: dict[str, Tensor]) -> None:
    """Set the states of torch's generators to what `random_states` returned."""
    torch.set_rng_state(states["cpu"])
    kind = torch.device(device).type
    if kind != "cpu":
        module = torch.get_device_module(kind)
        module.set_rng_state(states["device"], torch.device(device))
