"""`tfrec compare`: plan an experiment with two versions, and read what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config

if TYPE_CHECKING:
    from rich.table import Table

CANNOT_TELL = 3  # exit code
app = typer.Typer(help="Two versions on real traffic: how many sessions, and what they say.", no_args_is_help=True)
LogOption = Annotated[Path | None, typer.Option("--log", help="A log in the place of data.search_log's files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LevelOption = Annotated[float, typer.Option(min=0.0001, max=0.5, help="Chance of a false alarm.")]


@app.command("plan")
@command_errors
def plan(
    config: ConfigOption = DEFAULT_CONFIG,
    effects: Annotated[
        list[float] | None, typer.Option("--effect", help="Relative lift of searches with a click; may be repeated.")
    ] = None,
    metric: Annotated[Literal["click", "cart", "purchase"], typer.Option(help="What shall decide.")] = "click",
    power: Annotated[float, typer.Option(min=0.1, max=0.99, help="Chance that the effect is seen.")] = 0.8,
    level: LevelOption = 0.05,
    log: LogOption = None,
    as_json: JsonOption = False,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """How many sessions show which effect, by simulation on the shop's own log: A/B, A/B with CUPED, interleaving."""
    parsed = read_config(config, overrides)
    from tfrec.comparing.planning import EFFECTS, plans
    from tfrec.comparing.traffic import traffic_of
    from tfrec.lifecycle.experiments import joined_log

    given = tuple(effects or EFFECTS)
    if any(not 0 < effect <= 10 for effect in given):
        raise typer.BadParameter("an effect is a relative lift above 0, such as 0.02", param_hint="--effect")
    searches, actions = joined_log(parsed, log)
    model = parsed.data.search_log.labels.model if parsed.data.search_log is not None else "auto"
    traffic = traffic_of(searches, actions, model, parsed.seed)
    found, most = plans(traffic, given, metric, level, power, parsed.seed)
    if as_json:
        told = {"sessions": traffic.sessions, "model": traffic.fitted.model, "most": most}
        console.print_json(json.dumps({**told, "plans": [one.to_dict() for one in found]}))
        return
    console.print(
        f"Sessions for power {power:g} at level {level:g} by {metric}, simulated on {traffic.sessions:,} sessions with "
        f"the click model {traffic.fitted.model}. The best order of what is shown would lift searches with a click by "
        f"{most:.1%}.", highlight=False, soft_wrap=True,
    )  # fmt: skip
    from rich.table import Table

    table = Table("lift of clicks", "A/B", "A/B with CUPED", "interleaving")
    for one in found:
        numbers = (one.ab, one.ab_cuped, one.interleaving)
        table.add_row(f"{one.effect:.1%}", *("–" if count is None else f"{count:,}" for count in numbers))
    console.print(table)
    if found:
        console.print(
            f"A sequential test, which may be looked at every day, needs up to {found[0].watched:.1f} times as many to "
            "have that power; give its number as --planned to `tfrec compare analyse`.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    if beyond := [effect for effect in given if effect > most]:
        names = ", ".join(f"{one:.1%}" for one in beyond)
        console.print(f"No order of what is shown reaches {names}.", highlight=False)


@app.command("analyse")
@command_errors
def analyse(
    config: ConfigOption = DEFAULT_CONFIG,
    experiment: Annotated[str | None, typer.Option(help="Its name; needed where the log has several.")] = None,
    metric: Annotated[
        Literal["click", "cart", "purchase", "revenue"], typer.Option(help="What decides; choose it beforehand.")
    ] = "click",
    unit: Annotated[
        Literal["visitor", "session"], typer.Option(help="What is independent of others, and was assigned.")
    ] = "visitor",
    level: LevelOption = 0.05,
    planned: Annotated[
        int | None, typer.Option(min=100, help="Units at which the sequential test is sharpest, from the plan.")
    ] = None,
    log: LogOption = None,
    as_json: JsonOption = False,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """What an experiment in the shop's log says: fixed and sequential test, CUPED, slices and guards.

    The fixed test is for one look at the end; the sequential one holds however often it is looked at.
    """
    parsed = read_config(config, overrides)
    from tfrec.comparing.analysis import Settings
    from tfrec.comparing.analysis import analyse as carry_out
    from tfrec.comparing.sequential import PLANNED
    from tfrec.lifecycle.experiments import joined_log

    found = carry_out(*joined_log(parsed, log), Settings(experiment, metric, unit, level, planned or PLANNED))
    if as_json:
        console.print_json(json.dumps(found, ensure_ascii=False))
        return
    for sentence in _sentences(found):
        console.print(sentence, highlight=False, soft_wrap=True, markup=False)
    console.print(_slices(found["slices"]))


@app.command("estimate")
@command_errors
def estimate(
    version: Annotated[int, typer.Argument(help="Number of the version that was not shown.", min=0)],
    config: ConfigOption = DEFAULT_CONFIG,
    metric: Annotated[Literal["click", "cart", "purchase"], typer.Option(help="What is earned.")] = "click",
    depth: Annotated[int | None, typer.Option(min=1, help="First places that count; else all.")] = None,
    log: LogOption = None,
    as_json: JsonOption = False,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """What a version would have earned on a randomised log: IPS, SNIPS and DR.

    Exit code 3: the log shows too little of what the version shows, and cannot tell.
    """
    parsed = read_config(config, overrides)
    from tfrec.lifecycle.experiments import foretold_of

    found = foretold_of(parsed, version, metric, depth, log)
    overlap = found.overlap
    if as_json:
        console.print_json(json.dumps(found.to_dict()))
    else:
        console.print(
            f"{overlap.searches:,} randomised searches; {overlap.supported:.0%} of version {version}'s places are "
            f"supported, effective sample size {overlap.effective:,.0f}, largest weight {overlap.largest:.1%} of all, "
            f"mean weight {overlap.mean_weight:.2f} (1 where the chances are right).", highlight=False, soft_wrap=True,
        )  # fmt: skip
        console.print(f"The log's own lists: {found.logged:.4f} {metric}s a search.", highlight=False)
        for name, one in (("IPS", found.ips), ("SNIPS", found.snips), ("DR", found.dr)):
            if one is not None:
                told = f"{name}: {one.value:.4f}, {one.gain:+.4f} ({one.low:+.4f} to {one.high:+.4f})"
                console.print(told, highlight=False)
        for reason in overlap.missing:
            console.print(f"No estimate: {reason}.", highlight=False, soft_wrap=True)
    if overlap.missing:
        raise typer.Exit(CANNOT_TELL)


def _sentences(found: dict[str, Any]) -> list[str]:
    name, metric = found["experiment"], found["metric"]
    told = [
        f"{name}: {found['method']}, {found['searches']:,} searches of {found['sessions']:,} sessions, "
        f"{found['units']:,} units ({found['unit']}s); differences are b - a."
    ]
    told += [f"WARNING: {warning}." for warning in found["warnings"]]
    if found["method"] == "ab":
        means = found["means"]
        told.append(f"{metric} per unit: a {_number(means['a'])}, b {_number(means['b'])}.")
        told.append(f"Fixed test: {_estimate(found['fixed'])}.")
        cuped = found["cuped"]
        told.append(
            f"With CUPED: {_estimate(cuped)}; earlier searches of {cuped['known_before']:,} units explain "
            f"{cuped['variance_explained']:.0%} of the variance."
        )
        told += [f"Also {other}: {_estimate(one)}." for other, one in found["others"].items()]
    else:
        votes = found["preferring"]
        told.append(
            f"By {metric}: {votes['b']:,} units prefer b, {votes['a']:,} a, {votes['neither']:,} neither "
            f"(p = {votes['p']:.3g})."
        )
        told.append(f"Fixed test of the preference (-1 to 1): {_estimate(found['fixed'])}.")
    watched = found["sequential"]
    if watched["difference"] is None:
        told.append("Sequential test: silent so far, too few units.")
    else:
        after = f"decided after {watched['decided_after']:,} units" if watched["decided_after"] else "not decided"
        told.append(f"Sequential test: {_estimate(watched | {'enough': True})}, {after}.")
    for guard, one in found["guards"].items():
        if "difference" in one:
            tail = f", 95th percentile {one['p95_a']:.1f} and {one['p95_b']:.1f}" if "p95_a" in one else ""
            told.append(f"Guard, {guard}: a {_number(one['a'])}, b {_number(one['b'])}{tail}; {_estimate(one)}.")
        elif one["a"] or one["b"]:
            told.append(f"Guard, {guard}: a {one['a']:,}, b {one['b']:,}.")
    return told


def _estimate(one: dict[str, Any]) -> str:
    if one["difference"] is None or not one["enough"]:
        return "too few units to tell"
    bounds = "" if one["low"] is None else f" ({one['low']:+.4f} to {one['high']:+.4f})"
    return f"{one['difference']:+.4f}{bounds}, p = {one['p']:.3g}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _slices(slices: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table("slice", "searches", "b - a", "p (times slices)", title="Slices", title_justify="left")
    for one in slices:
        told = _estimate({**one, "p": 1.0}).rpartition(", p")[0] or "too few units to tell"
        table.add_row(f"{one['kind']}: {one['label']}", f"{one['searches']:,}", told, f"{one['p']:.3g}")
    return table
