"""TensorFlow imported by others, before tfrec and after it: Keras 2, or one right sentence."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import tfrec


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env={**kept, **environment})


def test_tensorflow_imported_after_tfrec_has_keras_2_and_everything_works() -> None:
    done = run(
        "import tfrec, sys\n"
        "assert 'tensorflow' not in sys.modules\n"
        "import tensorflow\n"
        "print(callable(tfrec.train), tensorflow.keras.Model.__module__.split('.')[0])\n"
        "from tfrec.tensorflow_setup import keras, tf\n"
        "print(tf.keras.layers.Layer is keras.layers.Layer)\n"
    )
    assert done.stdout.split() == ["True", "tf_keras", "True"], done.stderr


@pytest.mark.parametrize(
    ("code", "environment", "said"),
    [
        ("import tensorflow; import tfrec; ", {}, "write `import tfrec` above the first import of TensorFlow"),
        pytest.param(
            "import tfrec; import tensorflow; ",
            {"TF_USE_LEGACY_KERAS": "0"},
            "because TF_USE_LEGACY_KERAS=0 is set",
            marks=pytest.mark.slow,
        ),
        pytest.param("import tensorflow; import tfrec; ", {"TF_USE_LEGACY_KERAS": "true"}, "", marks=pytest.mark.slow),
    ],
)
def test_keras_3_is_told_in_the_right_sentence(code: str, environment: dict[str, str], said: str) -> None:
    done = run(code + "tfrec.train; print('fine')", **environment)
    if not said:
        assert done.stdout == "fine\n", done.stderr
        return
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("tfrec.errors.TfrecError: ") and said in last and "fine" not in done.stdout


def test_beside_the_client_alone_tensorflow_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr(tfrec, "find_spec", lambda name: None)
    tfrec._choose_keras_2()
    assert "TF_USE_LEGACY_KERAS" not in os.environ
    monkeypatch.setattr(tfrec, "find_spec", lambda name: object())
    tfrec._choose_keras_2()
    assert os.environ["TF_USE_LEGACY_KERAS"] == "1"
