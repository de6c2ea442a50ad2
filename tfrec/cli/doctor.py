"""`tfrec doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tfrec.cli.console import command_errors, console

_GIB = 2**30


@command_errors
def doctor(
    runs: Annotated[Path, typer.Option("--runs", help="Folder of all runs.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show versions, CPU, memory, disk, encoders and runs, and what is missing for what; to paste into a bug report."""
    from tfrec.pipeline.doctor import examine

    found = examine(runs)
    if as_json:
        console.print_json(json.dumps(found, ensure_ascii=False))
        return
    for line in _lines(found):
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _lines(found: dict[str, Any]) -> list[str]:
    machine = found["machine"]
    memory = "unknown"
    if machine["memory"]:
        memory = f"{machine['memory_free'] / _GIB:.1f} of {machine['memory'] / _GIB:.1f} GiB free"
    features = ", ".join(machine["features"]) or "none of those that matter"
    told = [
        f"system    {machine['system']}",
        f"cpu       {machine['cpu']}, {machine['cores']} cores, {features}",
        f"memory    {memory}; disk {machine['disk_free'] / _GIB:.1f} GiB free",
        "versions  " + ", ".join(f"{name} {have or 'missing'}" for name, have in found["versions"].items()),
        f"encoders  {'; '.join(found['encoders']) or 'none installed'} in {found['encoder_folder']}",
    ]
    for run in found["runs"]:
        state = "trained" if run["trained"] else "not trained"
        exports = f"exports {', '.join(run['exports'])}" if run["exports"] else "no export"
        told.append(f"run       {run['name']}: {state}, {exports}, {run['bytes'] / 2**20:,.0f} MiB")
    return told + [f"remark    {sentence}" for sentence in found["remarks"]]
