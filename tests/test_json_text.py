"""JSON that is damaged or hostile: one sentence, soon, whatever reads it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.data.shop import ShopData
from tfrec.errors import TfrecError
from tfrec.export.manifest import MANIFEST, verify_manifest
from tfrec.files import read_json
from tfrec.json_text import parse_json
from tfrec.training.checkpoints import read_state

READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "any": ("any.json", lambda folder: read_json(folder / "any.json")),
    "export": (MANIFEST, verify_manifest),
    "data": ("manifest.json", ShopData.open),
    "checkpoint": ("state.json", read_state),
}
BAD = {
    "nested lists": ("[" * 300_000, "nested too deeply|not valid JSON"),
    "nested objects": ('{"a":' * 100_000, "nested too deeply|not valid JSON"),
    "key twice": ('{"files": {}, "format": 1, "files": {"a": 1}}', "the key 'files' stands there twice"),
    "inner key twice": ('{"files": {"a": 1, "a": 2}}', "the key 'a' stands there twice"),
    "cut off": ('{"files": {', "not valid JSON"),
    "not UTF-8": ('{"a": "\udce9"}', "not valid JSON"),
    "a list": ("[]", "list|lists no files"),
    "a word": ("nonsense", "not valid JSON"),
    "too large": ('{"a": "' + "x" * (65 << 20) + '"}', "bytes, more than"),
    "a long number": ("1" * 5000, "not valid JSON"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("reader", READERS)
def test_bad_json_is_one_sentence_that_names_the_file(reader: str, bad: str, tmp_path: Path) -> None:
    name, read = READERS[reader]
    text, said = BAD[bad]
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    start = time.perf_counter()
    with pytest.raises(TfrecError, match=said) as caught:
        read(tmp_path)
    assert time.perf_counter() - start < 5  # a second on a machine that does nothing else
    assert name in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_good_json_is_what_it_says() -> None:
    value = {"a": [1, 2.5, None, True, "é"], "b": {"a": {"a": 1}}}
    assert parse_json(json.dumps(value).encode()) == value
