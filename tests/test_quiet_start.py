"""What TensorFlow says of itself at its start stays off standard error, whatever log level is wanted; errors do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from tfrec.tensorflow_setup import tf
tf.function(lambda x: tf.transpose(tf.concat([x, x], 0)))(tf.zeros([2, 2], tf.int64))
print("visible", file=sys.stderr)
tf.matmul(tf.ones([1, 2]), tf.ones([1, 2]))
"""


def test_only_errors_reach_standard_error() -> None:
    root = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment, timeout=120)
    lines = done.stderr.splitlines()
    assert "DT_INT64" not in done.stderr and lines[0] == "visible"
    assert done.returncode == 1 and "Matrix size-incompatible" in done.stderr
