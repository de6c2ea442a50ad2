"""The precision that suits this CPU."""

from __future__ import annotations

import functools
import platform
from pathlib import Path


def chosen_precision(wanted: str) -> str:
    """Decides between "bf16" and "f32"; "auto" takes bf16 where the CPU has instructions for it."""
    if wanted != "auto":
        return wanted
    return "bf16" if cpu_multiplies_bf16() else "f32"


@functools.lru_cache(maxsize=1)
def cpu_multiplies_bf16() -> bool:
    """Whether the CPU has AVX512-BF16 or AMX-BF16; without them bf16 is emulated and slower than float32."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
