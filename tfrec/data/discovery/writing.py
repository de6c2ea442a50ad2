"""A proposal as the few lines of a configuration file."""

from __future__ import annotations

from typing import Any

from tfrec.config.yaml_writing import yaml_of
from tfrec.data.discovery.proposal import Proposal

_WIDTH, _WIDEST = 150, 1000
_MOST_LINES = 10


def config_lines(proposal: Proposal, name: str, root: str) -> str:
    """The configuration of a proposal: a setting a line, a table a line where it is short or there would be many.

    Args:
        proposal: without questions.
        name: of the run.
        root: the folder of the files, as the file shall name it.
    """
    text = _written(proposal, name, root, _WIDTH)
    return text if text.count("\n") <= _MOST_LINES + 1 else _written(proposal, name, root, _WIDEST)


def _written(proposal: Proposal, name: str, root: str, width: int) -> str:
    about = (
        f"# in the layout {proposal.layout}" if proposal.layout else "# by the names and the contents of the columns"
    )
    lines = [f"{about}, proposed by `tfrec init`", f"name: {yaml_of(name, flow=True).split(chr(10))[0]}", "data:"]
    lines.append(f"  root: {_flow(root)}")
    for key, value in proposal.data().items():
        whole = f"  {key}: {_flow(value)}"
        if len(whole) <= width or not isinstance(value, dict):
            lines.append(whole)
        else:
            lines.append(f"  {key}:")
            lines += [f"    {inner}: {_flow(entry)}" for inner, entry in value.items()]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    return yaml_of(value, flow=True).strip().removesuffix("...").strip()
