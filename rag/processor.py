"""What torch computes with on this machine: threads, and a number format. Imports it when used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache


def one_thread() -> AbstractContextManager[None]:
    """For few texts, waiting for a second thread costs more than it brings; on a busy machine a
    hundred times more."""
    return _threads(1)


def all_threads() -> AbstractContextManager[None]:
    """For many texts: as many threads as torch began with."""
    return _threads(_all())


def fast_dtype() -> str:
    """`bfloat16` where the CPU has instructions for it and no GPU works, else `float32`."""
    import torch

    has_bfloat16 = torch.cpu.get_capabilities().get("avx512_bf16", False)
    return "bfloat16" if has_bfloat16 and not torch.cuda.is_available() else "float32"


@contextmanager
def _threads(number: int) -> Iterator[None]:
    import torch

    usual = _all()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


@lru_cache(maxsize=1)
def _all() -> int:
    """Asked once: the number holds for the thread that sets it, but a new thread begins with what
    another one set for itself just then."""
    import torch

    return torch.get_num_threads()
