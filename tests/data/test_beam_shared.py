"""What stages of a Beam pipeline leave on a disk is read by that pipeline alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfrec.data.beam_shared import Shared
from tfrec.errors import TfrecError


def test_what_is_kept_is_known_under_its_name_and_key_only(tmp_path: Path) -> None:
    shared = Shared.of(tmp_path)
    shared.keep("plan", {"ends": ["u7"]})
    assert shared.known("plan") == Shared(tmp_path, shared.key).known("plan") == {"ends": ["u7"]}
    (tmp_path / "other").write_bytes((tmp_path / "plan").read_bytes())
    for reader, name in ((shared, "other"), (Shared.of(tmp_path), "plan")):
        with pytest.raises(TfrecError, match="was changed while the pipeline ran"):
            reader.known(name)


def test_a_changed_file_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Shared.of(tmp_path)
    shared.keep("plan", 1)
    written = (tmp_path / "plan").read_bytes()
    monkeypatch.setattr("pickle.loads", None)
    for changed in (written[:-1] + b"?", written[:10], b"", b"?" + written[1:]):
        (tmp_path / "plan").write_bytes(changed)
        with pytest.raises(TfrecError, match="was changed"):
            shared.known("plan")
