"""What `import tfrec` gives."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_every_public_name_is_there() -> None:
    import tfrec

    for name in tfrec.__all__:
        assert callable(getattr(tfrec, name)), name


@pytest.mark.parametrize("before", ["", "import tfrec.export.manifest; "])
def test_export_is_the_function_whatever_was_imported_before(before: str) -> None:
    """The package tfrec.export takes the function's place as soon as a part of it is imported."""
    from tfrec import api

    code = (
        f"import tfrec, tfrec.api; {before}tfrec.api.export = lambda trained: 'the function got ' + trained; "
        "print(tfrec.export('this'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "the function got this", done.stderr
    assert callable(api.export)
