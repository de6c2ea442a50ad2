"""The distribution: its name everywhere, its licence, and wheel and sdist that hold all that the package reads."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What a package manager is told to install, up to the end of the command.
INSTALL = re.compile(r"(?:pip3?|uv pip|pipx) install ([^\n`]*)")
STRANGER = re.compile(r"(?<![\w./-])tfrec(?![\w-])(?!-shop)")


def texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and path.suffix in ("", ".py", ".md", ".toml", ".yaml", ".ipynb")]


def test_no_text_tells_to_install_the_strangers_package() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {told.group(0)}"
        for path in texts()
        for told in INSTALL.finditer(path.read_text(encoding="utf-8", errors="replace"))
        if STRANGER.search(told.group(1)) and path != Path(__file__)
    ]
    assert not found, "the name tfrec on PyPI is somebody else's package: " + "; ".join(found)


@pytest.mark.parametrize("line", ["tfrec", "'tfrec[all]'", "-U tfrec", "tfrec==1.0"])
def test_the_strangers_package_would_be_seen(line: str) -> None:
    assert STRANGER.search(line)


@pytest.mark.parametrize("line", ["'tfrec-shop[all]'", "tfrec-shop", "--editable '.[dev]'", "dist/tfrec_shop-1.whl"])
def test_our_own_is_not_mistaken_for_it(line: str) -> None:
    assert not STRANGER.search(line)


def test_no_page_says_that_it_comes_from_an_index() -> None:
    pages = " ".join(path.read_text("utf-8") for path in texts() if path.suffix == ".md")
    told = re.findall(r"install '?tfrec-shop(?:\[(\w+)\])?", pages)
    # what is installed already gets an extra by its name; installing itself takes a file
    assert set(told) <= {"beam", "mlflow", "postgres", "qdrant", "ray", "scann", "testing"}, told


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    copy = tmp_path_factory.mktemp("source") / "tfrec"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if files.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    for name in filter(None, files.stdout.split("\0")):  # building writes into the source folder
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            target.symlink_to((ROOT / name).readlink())
        else:
            target.write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(copy)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder


def test_the_wheel_holds_all_that_the_package_reads(built: Path) -> None:
    (wheel,) = built.glob("tfrec_shop-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"tfrec", next(top for top in tops if top.endswith(".dist-info"))}
    for top, package in (("tfrec", "tfrec"), ("serving", "tfrec/serving"), ("tuner", "tfrec/tuner")):
        for path in (ROOT / top).rglob("*"):
            inside = f"{package}/{path.relative_to(ROOT / top).as_posix()}"
            if path.is_file() and "__pycache__" not in inside:
                assert inside in names
    for config in (ROOT / "configs").glob("*.yaml"):
        assert f"tfrec/configs/{config.name}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)


def test_the_sdist_can_be_worked_with(built: Path) -> None:
    (sdist,) = built.glob("tfrec_shop-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "NOTICE", "Makefile", "constraints.txt", "configs/demo.yaml", "tests/conftest.py"}
    assert wanted <= names
