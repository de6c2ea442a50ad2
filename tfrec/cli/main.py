"""The command `tfrec`. Commands import what they need when they run, so that `tfrec --help` answers at once."""

from __future__ import annotations

import typer

from tfrec.cli import augment, compare, config, data, encoder, index, judge, synth, tune
from tfrec.cli.advise import advise
from tfrec.cli.demo import demo
from tfrec.cli.doctor import doctor
from tfrec.cli.drift import drift
from tfrec.cli.encode import encode
from tfrec.cli.export import export
from tfrec.cli.forget import forget
from tfrec.cli.gate import gate
from tfrec.cli.init import init
from tfrec.cli.log import app as log_app
from tfrec.cli.push_index import push_index
from tfrec.cli.query import query
from tfrec.cli.refresh import refresh, update
from tfrec.cli.remote import pull, push
from tfrec.cli.report import report
from tfrec.cli.search import search
from tfrec.cli.serve import serve
from tfrec.cli.traffic import traffic
from tfrec.cli.train import evaluate, train
from tfrec.cli.versions import promote, rollback, versions
from tfrec.output import replaceable_output

app = typer.Typer(
    help="From a shop's files to a served search-and-recommendation model.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
)  # fmt: skip
app.command()(init)
app.command()(advise)
app.command()(train)
app.command()(evaluate)
app.command()(report)
app.command()(export)
app.command()(update)
app.command()(refresh)
app.command()(push)
app.command()(pull)
app.command()(push_index)
app.command()(drift)
app.command()(gate)
app.command()(versions)
app.command()(promote)
app.command()(rollback)
app.command()(traffic)
app.command()(forget)
app.command()(doctor)
app.command()(serve)
app.command()(query)
app.command()(demo)
app.command()(search)
app.command()(encode)
app.add_typer(data.app, name="data")
app.add_typer(encoder.app, name="encoder")
app.add_typer(index.app, name="index")
app.add_typer(augment.app, name="augment")
app.add_typer(synth.app, name="synth")
app.add_typer(log_app, name="log")
app.add_typer(compare.app, name="compare")
app.add_typer(judge.app, name="judge")
app.add_typer(config.app, name="config")
app.add_typer(tune.app, name="tune")


def main() -> None:
    """Runs the command line."""
    replaceable_output()
    app()
