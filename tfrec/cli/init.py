"""`tfrec init FOLDER`: from unknown files to a configuration, with a reason for every choice."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.output import utf8_output

if TYPE_CHECKING:
    from tfrec.data.discovery.look import Seen
    from tfrec.data.discovery.proposal import Answers, Proposal, Question
    from tfrec.data.discovery.understood import Understood

_ASKS = 3  # exit code: something has to be answered first
_MOST_QUESTIONS = 20


@command_errors
def init(
    folder: Annotated[Path, typer.Argument(help="Folder with the shop's files.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; else shop.yaml in FOLDER.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the likeliest answer to every question.")] = False,
    answer: Annotated[
        list[str], typer.Option("--answer", help="Answers a question, as in items.title=name_de. May be repeated.")
    ] = [],  # noqa: B006
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Look at a folder's files, propose their configuration, and show what tfrec understands of them."""
    from tfrec.config import parse_config
    from tfrec.data.discovery.understood import understand
    from tfrec.data.discovery.writing import config_lines
    from tfrec.errors import ConfigError, DataError
    from tfrec.files import atomic_write

    utf8_output()
    target = output or folder / "shop.yaml"
    if target.exists() and not force:
        raise ConfigError(f"{target} exists already: name another with --output, or add --force to replace it.")
    answers = _given(answer)
    proposal, seen = _answered(folder, answers, yes)
    _show_files(proposal, seen)
    if proposal.refusal:
        raise DataError(f"{folder}: {proposal.refusal}.")
    _show_reasons(proposal, seen)
    if proposal.questions:
        _show_questions(proposal.questions, folder)
        raise typer.Exit(_ASKS)
    name = _run_name(folder)
    config = parse_config({"name": name, "data": {"root": str(folder), **proposal.data()}}, "the proposal")
    found = understand(config.data, folder)
    _show_understood(found)
    if found.doubts and not yes:
        raise DataError(
            f"{'; '.join(found.doubts)}: look whether these files belong together, or write them with --yes."
        )
    text = config_lines(proposal, name, _root(folder, target))
    atomic_write(target, text)
    console.print(f"\n[bold]{target}[/bold]", highlight=False)
    console.print(text, markup=False, highlight=False, end="", soft_wrap=True)
    typer.echo(f"\nNext: `tfrec config validate -c {target}`, then `tfrec train -c {target}`.")


def _given(answers: list[str]) -> Answers:
    from tfrec.data.discovery.proposal import Answers
    from tfrec.errors import ConfigError

    for entry in answers:
        if "=" not in entry:
            raise ConfigError(f"--answer is KEY=VALUE, as in items.title=name_de, not {entry!r}.")
    return Answers({key.strip(): value.strip() for key, _, value in (entry.partition("=") for entry in answers)})


def _answered(folder: Path, answers: Answers, yes: bool) -> tuple[Proposal, list[Seen]]:
    """The proposal, its questions answered as far as anybody does."""
    from tfrec.data.discovery.propose import propose

    for _ in range(_MOST_QUESTIONS):
        proposal, seen = propose(folder, answers)
        if not proposal.questions or proposal.refusal:
            break
        question = proposal.questions[0]
        if yes and question.options:
            answers.given[question.key] = question.options[0]
            console.print(f"{question.text} Taken: {question.options[0]}", markup=False, highlight=False)
        elif sys.stdin.isatty():
            answers.given[question.key] = _ask(question)
        else:
            break
    return proposal, seen


def _ask(question: Question) -> str:
    typer.echo(f"{question.key}: {question.text}")
    for number, option in enumerate(question.options, start=1):
        typer.echo(f"  {number}) {option}")
    given = typer.prompt("number, or another answer", default="1")
    return question.options[int(given) - 1] if given.isdigit() and 0 < int(given) <= len(question.options) else given


def _show_questions(questions: list[Question], folder: Path) -> None:
    print("Not certain, so nothing is written. Answer, or take the first of each with --yes:", file=sys.stderr)
    for question in questions:
        shown = " | ".join(question.options[:6])
        print(f"  --answer {question.key}=...   {question.text} ({shown})", file=sys.stderr)
    answers = " ".join(f'--answer "{question.key}={question.options[0]}"' for question in questions if question.options)
    print(f"as in: tfrec init {folder} {answers}", file=sys.stderr)


def _show_files(proposal: Proposal, seen: list[Seen]) -> None:
    from tfrec.cli.data_tables import plain_table

    table = plain_table("Files", "file", "rows", "columns", "what it is")
    for file in seen:
        rows = f"{file.frame.height:,}" + ("" if file.whole else "+")
        use = ", ".join(name for name, settings in proposal.tables.items() if f"'{file.name}'" in str(settings))
        what = file.refused or use or ("not used" if proposal.tables else "")
        table.add_row(*map(_text, (file.name, rows, ", ".join(file.header), what)))
    console.print(table)


def _show_reasons(proposal: Proposal, seen: list[Seen]) -> None:
    from tfrec.cli.data_tables import plain_table

    files = {file.name: file for file in seen}
    for name, choices in proposal.reasons.items():
        path = proposal.tables[name]["path"]
        file = files.get(path if isinstance(path, str) else path[0])
        table = plain_table(
            f"{name.capitalize()}: {path if isinstance(path, str) else ', '.join(path)}",
            "tfrec",
            "column",
            "why",
            "as in",
        )
        for choice in choices:
            column = file.columns.get(choice.column) if file is not None else None
            samples = " | ".join(text[:40] for text in column.samples) if column is not None else ""
            table.add_row(*map(_text, (choice.role, choice.column, choice.why, samples)))
        console.print(table)
    for sentence in proposal.said:
        console.print(f"- {sentence}.", markup=False, highlight=False)
    if proposal.files:
        console.print(f"- not used: {', '.join(proposal.files)}.", markup=False, highlight=False)


def _show_understood(found: Understood) -> None:
    from tfrec.cli.data_tables import first_rows, reading_notes

    for name, frame in found.frames.items():
        console.print(first_rows(name, frame, found.reports[name].rows_read))
    for sentence in reading_notes(found.reports):
        console.print(f"- {sentence}.", markup=False, highlight=False)


def _text(value: object) -> str:
    from rich.markup import escape

    text = str(value)
    return escape(text if len(text) <= 160 else text[:160] + "…")


def _run_name(folder: Path) -> str:
    import re

    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-._")
    return name or "shop"


def _root(folder: Path, target: Path) -> str:
    import os

    return os.path.relpath(folder.resolve(), target.resolve().parent)
