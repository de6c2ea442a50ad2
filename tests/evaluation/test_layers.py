"""Evaluation stands on NumPy: it can score rankings of any system without loading TensorFlow."""

from __future__ import annotations

import subprocess
import sys


def test_evaluation_does_not_import_tensorflow():
    code = (
        "import sys\n"
        "from tfrec.evaluation import baselines, metrics, recommendation, retrieval, significance, table\n"
        "from tfrec.evaluation import recommendation_report\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'tensorflow', 'tf_keras', 'keras'}, 'TensorFlow was imported'\n"
        "assert 'tfrec.encoder' not in sys.modules and 'tfrec.export' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
