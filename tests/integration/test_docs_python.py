"""The Python of README and docs runs, in a folder as a reader has it: shop.yaml, its run, a server on its export.

docs/reference/parts.md is run by tests/test_own_parts.py.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import TRAINED_WITH
from tfrec.config import load_config, plain_yaml

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS, SECOND = "127.0.0.1:8500", "127.0.0.1:8600"
ENGINES = ("postgresql://user@host/database", "qdrant://host:6333")


def shown() -> dict[str, str]:
    """Block -> the first page that shows it."""
    found: dict[str, str] = {}
    for page in PAGES:
        if page.name != "parts.md":
            found |= {block: page.name for block in PYTHON.findall(page.read_text("utf-8")) if block not in found}
    return found


BLOCKS = shown()


@pytest.fixture(scope="module")
def folder(trained_shop: tuple[Path, Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """shop.yaml and runs/shop, a finished training."""
    config, run, _ = trained_shop
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(run, folder / "runs" / "shop")
    tree = yaml.safe_load(plain_yaml(load_config(config, TRAINED_WITH)))
    (folder / "shop.yaml").write_text(yaml.safe_dump(tree | {"name": "shop", "runs_dir": "runs"}))
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """A server's on the export, whose only version has both labels."""
    from tfrec.serving.server.configuration.model_config import ModelConfig
    from tfrec.serving.server.server import ModelServer

    export = folder / "runs" / "shop" / "export"
    number = max(int(version.name) for version in export.iterdir() if version.name.isdecimal())
    config = ModelConfig("tfrec", str(export), labels={"stable": number, "canary": number})
    with ModelServer(port=0, configs=[config]) as running:
        yield running.address


@pytest.fixture(scope="module")
def shards(folder: Path) -> Iterator[list[str]]:
    """Servers' on the export in two parts."""
    from tfrec.pipeline import api
    from tfrec.serving.server.server import ModelServer

    trained = api.load(load_config(folder / "shop.yaml", [f"runs_dir={folder / 'runs'}", "ranking.enabled=never"]))
    with contextlib.ExitStack() as running:
        parts = [ModelServer(part.parent, "tfrec", port=0) for part in api.export_shards(trained, 2)]
        yield [running.enter_context(part).address for part in parts]


def _shown(block: str, page: str, number: int) -> Any:
    # a fit, an export and a database more: for make test-all
    marks = [pytest.mark.slow] if SECOND in block else []
    if any(engine in block for engine in ENGINES):
        marks = [pytest.mark.skip(reason="tests/export/test_engines.py asks real ones")]
    return pytest.param(block, id=f"{page}-{number}", marks=marks)


@pytest.mark.parametrize("block", [_shown(block, page, number) for number, (block, page) in enumerate(BLOCKS.items())])
def test_it_runs(
    block: str, shop_home: Path, folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = {path: path.stat().st_mtime_ns for path in folder.rglob("weights*")}
    monkeypatch.chdir(folder)
    if SECOND in block:
        for address, ours in zip((ADDRESS, SECOND), request.getfixturevalue("shards"), strict=True):
            block = block.replace(address, ours)
    elif ADDRESS in block:
        block = block.replace(ADDRESS, request.getfixturevalue("address"))
    seed = f"seed={load_config(folder / 'shop.yaml').seed}"
    names: dict[str, Any] = {}
    exec(compile(block.replace("seed=3", seed), "page", "exec"), names)  # of a seed that has been trained
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("weights*")} == weights, "nothing is trained again"
    assert names
