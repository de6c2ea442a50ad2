"""The server as a program with TF Serving's flags: config file, labels, both ports, a changed config, SIGTERM."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a-token-of-the-web-shop"


def _config(path: Path, *names: str) -> str:
    models = (
        f"config {{ name: '{name}' base_path: '{path}' model_platform: 'tensorflow' "
        "version_labels { key: 'stable' value: 1 } }"
        for name in names
    )
    return f"model_config_list {{ {' '.join(models)} }}"


def test_the_program_serves_a_config_file_and_follows_its_changes(colours_dir: Path, tmp_path: Path) -> None:
    config, tokens = tmp_path / "models.config", tmp_path / "tokens"
    config.write_text(_config(colours_dir, "one"))
    tokens.write_text(TOKEN)
    flags = [
        f"--model_config_file={config}", "--model_config_file_poll_wait_seconds=0.1", "--port=0", "--rest_api_port=-1",
        f"--token_file={tokens}", "--enable_model_warmup=false", "--log_format=json", "--num_load_threads=2",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "tfrec.serving.server", *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        told = "".join(line for _, line in zip(range(2), process.stdout, strict=False))
        assert "Running gRPC ModelServer at 127.0.0.1:" in told
        [port] = re.findall(r"Exporting HTTP/REST API at:127\.0\.0\.1:(\d+) \.\.\.", told)

        def ask(path: str, token: str = TOKEN) -> int:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"}
            )
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code

        assert ask("/v1/models/one/labels/stable") == 200 and ask("/v1/models/two") == 404
        assert ask("/v1/models/one", "another-token-of-somebody") == 401
        config.write_text(_config(colours_dir, "one", "two"))
        end = time.monotonic() + 60
        while ask("/v1/models/two") != 200 and time.monotonic() < end:
            time.sleep(0.05)
        assert ask("/v1/models/two") == ask("/v1/models/one") == ask("/monitoring/prometheus/metrics") == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert any("--num_load_threads has no effect" in line["message"] for line in lines)
    assert TOKEN not in errors and "Traceback" not in errors
