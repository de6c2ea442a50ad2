"""What `import tfrec` gives."""

from __future__ import annotations

import subprocess
import sys


def test_every_public_name_is_there() -> None:
    import tfrec

    for name in tfrec.__all__:
        assert callable(getattr(tfrec, name)), name


def test_export_is_the_function_whatever_was_imported_before() -> None:
    """The package tfrec.export takes the function's place as soon as a part of it is imported."""
    code = (
        "import tfrec, tfrec.pipeline.api\n"
        "tfrec.pipeline.api.export = lambda trained: 'the function got ' + trained\n"
        "print(tfrec.export('first'), flush=True)\n"
        "import tfrec.export.manifest\n"
        "print(tfrec.export('later'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n") == ["the function got first", "the function got later", ""], done.stderr
