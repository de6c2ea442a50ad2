"""Every command line that README and docs show is one that the program takes; their Python is of names that exist."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tfrec.cli.main import app
from tfrec.config import load_config

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINE = re.compile(r"`(tfrec [a-z][^`]*)`|^ {4}(tfrec [a-z].*)$", re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """(name of the page, what the pattern finds) of all pages."""
    return [(page.name, found) for page in PAGES for found in pattern.findall(page.read_text(encoding="utf-8"))]


def shown() -> list[str]:
    return sorted({re.sub(r"\s+", " ", "".join(found)) for _, found in blocks(LINE)})


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
def test_pages_show_only_what_the_program_takes(line: str) -> None:
    words = re.sub(r'"[^"]*"|\[|\]', lambda found: "X" if found[0][0] == '"' else "", line).split()[1:]
    found = list(commands(words))
    assert found[0].name and found[0].name in line, f"there is no command {line}"
    options = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    for command in found:
        known = {name for parameter in command.params for name in parameter.opts}
        assert options <= known, f"{line}: {command.name} takes no {', '.join(sorted(options - known))}"


def test_pages_show_commands_at_all() -> None:
    assert len(shown()) > 20


@pytest.mark.parametrize(("page", "block"), blocks(PYTHON))
def test_python_of_pages_imports_what_exists(page: str, block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("myshop"):  # the reader's own
            module = importlib.import_module(node.module or "")
            assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tfrec":
            import tfrec

            assert node.attr in tfrec.__all__, ast.unparse(node)


@pytest.mark.parametrize(("page", "block"), blocks(YAML))
def test_configurations_of_pages_are_valid(page: str, block: str, tmp_path: Path) -> None:
    whole = block if re.search(r"^data:", block, re.MULTILINE) else f"data: {{items: items.csv}}\n{block}"
    (tmp_path / "shop.yaml").write_text(whole, "utf-8")
    load_config(tmp_path / "shop.yaml")


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert "://" in target or (ROOT / target).exists(), target


def test_the_readme_is_one_that_is_read() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 170
