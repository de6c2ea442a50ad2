"""Pages that the program writes of itself when the site is built: commands, and every field of the configuration."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def on_files(files: Any, config: Any) -> Any:
    """Adds the generated pages (a hook of MkDocs)."""
    from mkdocs.structure.files import File

    pages = {
        "reference/commands.md": commands_page(),
        "reference/configuration.md": configuration_page(),
        "explanation/house.md": (ROOT / "ARCHITECTURE.md").read_text("utf-8"),
        "security.md": (ROOT / "SECURITY.md").read_text("utf-8"),
    }
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def commands_page() -> str:
    """Every command with its arguments and options, from the program's own help."""
    import typer

    from tfrec.cli.main import app

    lines = ["# Commands", "", "Every command answers `--help`. `-c` takes a file, or the name of a shipped one."]
    for path, command in _commands(typer.main.get_command(app), "tfrec"):
        lines += ["", f"## {path}", "", *_paragraphs(command.help)]
        shown = [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
        if shown:
            lines += ["", "| argument or option | default | what it does |", "| --- | --- | --- |"]
        for parameter in shown:
            names = ", ".join(f"`{name}`" for name in parameter.opts if name.startswith("-"))
            given = parameter.default
            default = "" if given in (None, "", [], False) or not isinstance(given, (str, int, float, Path)) else given
            about = getattr(parameter, "help", None) or ""
            shown_name = names or f"`{getattr(parameter, 'metavar', None) or parameter.name.upper()}`"
            lines.append(f"| {shown_name} | {default} | {_cell(about)} |")
    return "\n".join(lines) + "\n"


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", {})
    if not below or getattr(command, "invoke_without_command", False):
        yield path, command
    for name, inner in below.items():
        yield from _commands(inner, f"{path} {name}")


def configuration_page() -> str:
    """Every field of the configuration: type, default, meaning."""
    from tfrec.config import Config

    intro = (
        "Keys that a file leaves out have the defaults below; an unknown key is an error that names the nearest one. "
        "`tfrec config init` writes them all into a file, each with its meaning."
    )
    return "\n".join(["# Configuration", "", intro, *_section(Config, "")]) + "\n"


def _section(section: Any, path: str) -> Iterator[str]:
    from tfrec.config.annotations import section_of

    inner = {name: kind for name, field in section.model_fields.items() if (kind := section_of(field.annotation))}
    yield from ("", f"## {path or 'top'}", "", *_paragraphs(inspect.getdoc(section)))
    rows = [(name, field) for name, field in section.model_fields.items() if name not in inner]
    if rows:
        yield from ("", "| field | takes | default | what it does |", "| --- | --- | --- | --- |")
    for name, field in rows:
        default = "needed" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
        kind = inspect.formatannotation(field.annotation).replace("typing.", "")
        yield f"| `{name}` | `{_cell(_plain(kind))}` | {_cell(default)} | {_cell(field.description or '')} |"
    for name, kind in inner.items():
        yield from _section(kind, f"{path}.{name}".lstrip("."))


def _plain(kind: str) -> str:
    """A type without where its classes live."""
    import re

    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", kind)


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _paragraphs(text: str | None) -> list[str]:
    return inspect.cleandoc(text or "").splitlines()
