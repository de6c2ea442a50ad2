"""The client lives alone: only grpcio, protobuf and numpy, and it starts quickly."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Refuses every import from outside the standard library and the three packages.
ALONE = """
import sys
allowed = set(sys.stdlib_module_names) | {"grpc", "google", "numpy", "typing_extensions"}
ours = ("tfrec", "tfrec.comparing", "tfrec.comparing.interleaving", "tfrec.serving", "tfrec.serving.client")
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed and name not in ours and not name.startswith(f"{ours[-1]}."):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Wall())
from tfrec.serving.client import AsyncClient, Client, Tls
request = Client("127.0.0.1:1").predict_request("search", {"query": ["x"], "k": 3})
assert len(request.SerializeToString()) > 20
print("alone")
"""

TIMED = """
import resource, time
def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before = used()
import tfrec.serving.client
print(used() - before)
"""


def _python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_but_grpc_protobuf_and_numpy_is_needed() -> None:
    assert _python(ALONE) == "alone"


def test_the_import_takes_less_than_three_tenths_of_a_second() -> None:
    # Time of the processor, not of the clock: a busy machine must not decide.
    assert min(float(_python(TIMED)) for _ in range(3)) < 0.3


LOAD = (
    "import tfrec\ntry:\n    tfrec.load_config\nexcept ImportError as error:\n    raise SystemExit(f'error: {error}')"
)


@pytest.mark.parametrize(
    ("user", "missing", "arguments"),
    [
        ("the command line", "typer", ["-m", "tfrec"]),
        ("the command line", "rich", ["-m", "tfrec"]),
        ("the command line", "pydantic", ["-m", "tfrec", "config", "init"]),
        ("the server", "tensorflow", ["-m", "tfrec.serving.server", "--model_base_path=."]),
        ("tfrec.load_config", "pydantic", ["-c", LOAD]),
    ],
)
def test_what_lacks_its_packages_names_the_way_out(
    tmp_path: Path, user: str, missing: str, arguments: list[str]
) -> None:
    # A package of that name that cannot be imported: as if it were not installed.
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('No module', name='{missing}')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=120)
    sentence = f"error: {user} needs the package {missing}, which is not installed: pip install 'tfrec-shop[all]'."
    assert (done.returncode, done.stderr.strip()) == (1, sentence)


def test_the_extra_installs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    import setuptools

    told: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", told.update)
    runpy.run_path(str(ROOT / "setup.py"))
    names = {requirement.partition(">")[0] for requirement in told["install_requires"]}
    assert names == {"grpcio", "protobuf", "numpy"}
    assert told["extras_require"]["client"] == []
    whole = " ".join(told["extras_require"]["all"])
    assert "tensorflow>=" in whole and "typer>=" in whole
    assert set(told["extras_require"]["all"]) <= set(told["extras_require"]["dev"])
