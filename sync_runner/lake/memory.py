"""Keeps the process as small as what it holds.

The C library keeps freed pieces of less than 32 MiB for later and cuts new ones out of them, so
that a process which writes parts of about that size for hours grows by a third. Given back at once,
they cost a page fault instead. Of Arrow's allocators jemalloc keeps least for later (docs/adr, on
merges).
"""

import ctypes
import sys

import pyarrow as pa

_MMAP_THRESHOLD = -3
_TRIM_THRESHOLD = -1
_ARENA_MAX = -8
_BYTES = 1 << 20
_ARENAS = 2
"""Places that threads allocate from; each keeps some of what was freed."""


def give_memory_back() -> None:
    """Has freed memory go back to the system; does nothing where there is no such setting."""
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, _BYTES)
        library.mallopt(_TRIM_THRESHOLD, _BYTES)
        library.mallopt(_ARENA_MAX, _ARENAS)
