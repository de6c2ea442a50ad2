"""Every command line that the README shows is one that the program takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tfrec.cli.main import app

README = Path(__file__).parents[1] / "README.md"
LINE = re.compile(r"`(tfrec [a-z][^`]*)`|^ {4}(tfrec [a-z].*)$", re.MULTILINE)


def shown() -> list[str]:
    return sorted({re.sub(r"\s+", " ", a or b) for a, b in LINE.findall(README.read_text(encoding="utf-8"))})


def commands(words: list[str]) -> Iterator[Any]:
    """The commands that a line names, words after them left: `tfrec tune show, best -c FILE` names two."""
    command = typer.main.get_command(app)
    while words and words[0] in (below := getattr(command, "commands", {})):
        command = below[words.pop(0)]
    named = []
    while words and words[0].rstrip(",") in (below := getattr(command, "commands", {})):
        named.append(below[words.pop(0).rstrip(",")])
    yield from named or [command]


@pytest.mark.parametrize("line", shown())
def test_the_readme_shows_only_what_the_program_takes(line: str) -> None:
    words = re.sub(r'"[^"]*"|\[|\]', lambda found: "X" if found[0][0] == '"' else "", line).split()[1:]
    found = list(commands(words))
    assert found[0].name and found[0].name in line, f"there is no command {line}"
    options = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    for command in found:
        known = {name for parameter in command.params for name in parameter.opts}
        assert options <= known, f"{line}: {command.name} takes no {', '.join(sorted(options - known))}"


def test_the_readme_shows_commands_at_all() -> None:
    assert len(shown()) > 20
