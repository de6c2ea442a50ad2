"""`tfrec versions`, `tfrec promote` and `tfrec rollback`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfrec.cli.console import command_errors, console

if TYPE_CHECKING:
    from rich.table import Table

    from tfrec.config import Config as Configuration
    from tfrec.config import LifecycleConfig
    from tfrec.lifecycle.asking import Target
    from tfrec.lifecycle.models_config import Servers
    from tfrec.lifecycle.promotion import Done
    from tfrec.lifecycle.versions import VersionFacts

Config = Annotated[Path | None, typer.Option("--config", "-c", help="Configuration whose run is meant.")]
Export = Annotated[Path | None, typer.Option("--export", help="Folder of versions, in the place of --config.")]
ModelName = Annotated[str | None, typer.Option(help="Name that requests give [serving.model_name].")]
Address = Annotated[
    str | None, typer.Option("--target", help="Running server, host:port, that must have followed; else all is undone.")
]
Wait = Annotated[float, typer.Option(help="Seconds that the server has to follow.", min=0.1, max=3600)]
Ca = Annotated[Path | None, typer.Option(help="Authority of the server's certificate (PEM); encrypts.")]
TokenFile = Annotated[Path | None, typer.Option(help="File with the bearer token for the server.")]


@command_errors
def versions(
    config: Config = None,
    export: Export = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every verdict's numbers.")] = False,
) -> None:
    """Show the versions of an export folder: when made, of what, the gate's verdict, which is stable and canary."""
    from tfrec.cli.places import export_folder
    from tfrec.lifecycle.act_log import standing
    from tfrec.lifecycle.models_config import is_told
    from tfrec.lifecycle.versions import list_versions

    folder = export_folder(export, None, config)
    found = list_versions(folder)
    if as_json:
        console.print_json(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return
    console.print(_table(found))
    for one in found:
        for reason in [one.fault] if one.fault else one.verdict.reasons if one.verdict else ():
            console.print(f"{one.number}: {reason}", highlight=False, soft_wrap=True, markup=False)
    stands = standing(folder)
    if stands.stable is None:
        console.print("Nothing was promoted: servers take the newest version.", highlight=False)
    if not is_told(servers_of(folder, config)[0], stands, whole=False):
        console.print("models.config is not what the log of acts says: the next promote or rollback writes it anew.")


@command_errors
def promote(
    version: Annotated[int | None, typer.Argument(help="Which; else the newest.", min=0)] = None,
    config: Config = None,
    export: Export = None,
    label: Annotated[str, typer.Option("--as", help="stable, or canary beside it.")] = "stable",
    force: Annotated[str, typer.Option(help="Reason to do it though the gate did not pass it; is logged.")] = "",
    target: Address = None,
    wait: Wait = 60.0,
    model_name: ModelName = None,
    ca: Ca = None,
    token_file: TokenFile = None,
) -> None:
    """Make a version the one that is served; the gate must have passed it. Servers follow without a restart."""
    from tfrec.cli.places import export_folder
    from tfrec.errors import ServingError
    from tfrec.lifecycle.promotion import CANARY, STABLE
    from tfrec.lifecycle.promotion import promote as carry_out

    if label not in (STABLE, CANARY):
        raise ServingError(f"--as takes stable or canary, not {label!r}.")
    servers, settings = servers_of(export_folder(export, None, config), config, model_name)
    asked = target_of(target, servers, wait, ca, token_file)
    done = carry_out(servers, version, label, force.strip(), asked, settings.keep)
    _tell(done, f"Version {done.after.labels[label]} is {label}", target)
    if label == CANARY and done.after.canary is not None and done.after.canary > (done.after.stable or 0):
        console.print(
            "Requests that name no version get the newest that is loaded, the canary: let callers ask for the label "
            'stable, as in Client(version="stable").', highlight=False, soft_wrap=True
        )  # fmt: skip


@command_errors
def rollback(
    config: Config = None,
    export: Export = None,
    to: Annotated[int | None, typer.Option(help="Version; else the one that was stable before.", min=0)] = None,
    canary: Annotated[bool, typer.Option("--canary", help="Take the canary back; the stable version stays.")] = False,
    reason: Annotated[str, typer.Option(help="Why; is logged.")] = "",
    target: Address = None,
    wait: Wait = 60.0,
    model_name: ModelName = None,
    ca: Ca = None,
    token_file: TokenFile = None,
) -> None:
    """Go back to the version that was stable before, at once; with --target, proven by the server's own answer."""
    from tfrec.cli.places import export_folder
    from tfrec.errors import ServingError
    from tfrec.lifecycle.promotion import roll_back

    if canary and to is not None:
        raise ServingError("--canary takes the canary back and --to moves the stable version: give one of them.")
    servers, _ = servers_of(export_folder(export, None, config), config, model_name)
    asked = target_of(target, servers, wait, ca, token_file)
    done = roll_back(servers, to, canary, reason.strip(), asked)
    sentence = "The canary is taken back" if canary else f"Version {done.after.stable} is stable again"
    _tell(done, sentence, target)


def servers_of(
    folder: Path, config: Path | None | Configuration, name: str | None = None
) -> tuple[Servers, LifecycleConfig]:
    """Who is told of the versions in an export folder, and the settings of the lifecycle.

    Args:
        folder: the export folder.
        config: a configuration or its file; None takes the defaults.
        name: of the model, in the place of serving.model_name.
    """
    from tfrec.cli.options import read_config
    from tfrec.config import LifecycleConfig, ServingConfig
    from tfrec.lifecycle.models_config import Servers

    tree = read_config(config, []) if isinstance(config, Path) else config
    settings = LifecycleConfig.model_validate({}) if tree is None else tree.lifecycle
    serving = ServingConfig.model_validate({}) if tree is None else tree.serving
    other = None if settings.models_config is None else Path(settings.models_config)
    return Servers(folder, name or serving.model_name, settings.keep_ready, other, settings.base_path), settings


def target_of(
    address: str | None, servers: Servers, wait: float, ca: Path | None, token_file: Path | None
) -> Target | None:
    """The running server that options name, None without one."""
    from tfrec.errors import ServingError
    from tfrec.lifecycle.asking import Target

    if address is None and (ca is not None or token_file is not None):
        raise ServingError("--ca and --token-file are about a running server: name it with --target HOST:PORT.")
    return None if address is None else Target(address, servers.name, wait, ca, token_file)


def _tell(done: Done, sentence: str, target: str | None) -> None:
    was = "nothing" if done.before.stable is None else f"version {done.before.stable}"
    said = "an act that was killed has been brought to its end" if done.finished else f"stable was {was}"
    console.print(f"{sentence} ({said}; {done.seconds:.1f} s).", highlight=False, soft_wrap=True)
    for number in done.removed:
        console.print(f"Version {number} was removed (lifecycle.keep).", highlight=False)
    if done.answers is None:
        console.print(
            "models.config says so; no server was asked (--target HOST:PORT asks one).", highlight=False, soft_wrap=True
        )
        return
    answers = [f"{label or 'no version named'}: version {number}" for label, number in sorted(done.answers.items())]
    console.print(f"{target} answers: {', '.join(answers)}.", highlight=False, soft_wrap=True, markup=False)


def _plain(one: VersionFacts) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(one) | {"made": one.made.isoformat(timespec="seconds"), "labels": list(one.labels)}


def _table(found: list[VersionFacts]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for name in ("version", "made", "made of", "config", "items", "MB", "gate", "against", "stands"):
        table.add_column(name, justify="right" if name in ("version", "items", "MB", "against") else "left")
    for one in found:
        verdict = one.verdict
        gate = ("unreadable" if one.fault else "not judged") if verdict is None else verdict.outcome
        against = "" if verdict is None or verdict.against is None else str(verdict.against)
        made = one.made.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(
            str(one.number), made, one.signature[:12], one.config[:12], f"{one.items:,}", f"{one.bytes / 1e6:.1f}",
            gate, against, ", ".join(one.labels),
        )  # fmt: skip
    return table
