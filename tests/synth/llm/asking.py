"""Runs the source llm in a process of its own, which a test kills: `python asking.py shop.yaml folder`."""

from __future__ import annotations

import sys
from pathlib import Path

from tfrec.config import load_config
from tfrec.data.prepare import prepare
from tfrec.synth.llm.source import LlmSource
from tfrec.synth.source import SourceContext


def no_teacher() -> None:
    """The source must not need one."""
    raise AssertionError


if __name__ == "__main__":
    config, folder = load_config(sys.argv[1]), Path(sys.argv[2])
    made = LlmSource().samples(SourceContext(config, prepare(config), no_teacher, folder))  # type: ignore[arg-type]
    made.write_parquet(folder / "made.parquet")
