"""Where the arithmetic happens, and with which random numbers."""

from contextlib import contextmanager

import torch


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


@contextmanager
def seeded_torch(seed, device):
    """Seed torch inside the block, and leave its global state untouched."""
    kind = torch.device(device).type
    devices = [] if kind == "cpu" else [torch.device(device)]
    with torch.random.fork_rng(
        devices=devices, device_type="cuda" if kind == "cpu" else kind
    ):
        torch.manual_seed(seed)
        yield
