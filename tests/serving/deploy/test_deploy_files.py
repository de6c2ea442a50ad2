"""The files of serving/deploy say what the servers understand, and agree with each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "serving" / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
OFFICIAL_IMAGE = "tensorflow/serving:2.19.1"
# Flags of tensorflow_model_server 2.19 (main.cc) that the files use.
OFFICIAL = {
    "port", "rest_api_port", "model_config_file", "monitoring_config_file", "file_system_poll_wait_seconds",
    "tensorflow_intra_op_parallelism", "tensorflow_inter_op_parallelism",
}  # fmt: skip


def _yaml(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def _docker_flags(name: str) -> list[str]:
    text = (DEPLOY / name).read_text("utf-8").replace("\\\n", " ")
    return re.findall(r'"(--[^"]+)"', text[text.index("CMD") :])


def _embedded_args() -> list[str]:
    [patch] = [p for p in _yaml(DEPLOY / "kubernetes/embedded/kustomization.yaml")[0]["patches"]]
    return next(step["value"] for step in yaml.safe_load(patch["patch"]) if step["path"].endswith("/args"))


COMPOSE = _yaml(DEPLOY / "compose.yaml")[0]["services"]
DEPLOYMENT = _yaml(BASE / "deployment.yaml")[0]
[CONTAINER] = DEPLOYMENT["spec"]["template"]["spec"]["containers"]


def test_the_servers_own_readers_take_the_text_files() -> None:
    from tfrec.serving.server.configuration.config_files import read_batching_parameters, read_monitoring_config
    from tfrec.serving.server.configuration.model_config import read_model_config_file

    [model] = read_model_config_file(DEPLOY / "models.config")
    assert (model.name, str(model.base_path)) == ("tfrec", "/models/tfrec")
    batching = read_batching_parameters(DEPLOY / "batching.config")
    assert batching.max_batch_size == batching.allowed_batch_sizes[-1] == 32
    monitoring = read_monitoring_config(DEPLOY / "monitoring.config")
    assert monitoring.enable and monitoring.path == "/monitoring/prometheus/metrics"


def test_the_tls_file_is_written_as_its_comment_says(tmp_path: Path) -> None:
    from tfrec.serving.server.configuration.config_files import read_tls_config

    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command to make a certificate with")
    comment = (DEPLOY / "tls.config.example").read_text("utf-8")
    command = "\n".join(line[1:].strip() for line in comment.splitlines() if line.startswith("#   "))
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x"
    script = f"{make} -keyout server.key -out server.pem && cp server.pem clients-ca.pem && {command}"
    subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    read = read_tls_config(tmp_path / "tls.config")
    assert (tmp_path / "server.pem").read_bytes().strip() in repr(read).encode().replace(b"\\n", b"\n")


@pytest.mark.parametrize("flags", [
    _docker_flags("Dockerfile"), COMPOSE["tensorflow-serving"]["command"], CONTAINER["args"],
], ids=["Dockerfile", "compose", "kubernetes"])  # fmt: skip
def test_tensorflow_model_server_knows_its_flags(flags: list[str]) -> None:
    from tfrec.serving.server.flags import parse_flags

    assert {flag[2:].partition("=")[0] for flag in flags} <= OFFICIAL
    assert parse_flags(flags).rest_api_port == 8501


@pytest.mark.parametrize("flags", [
    _docker_flags("Dockerfile.embedded"), COMPOSE["embedded"]["command"], _embedded_args(),
], ids=["Dockerfile", "compose", "kubernetes"])  # fmt: skip
def test_the_embedded_server_knows_its_flags(flags: list[str]) -> None:
    from tfrec.serving.server.flags import parse_flags

    parsed = parse_flags(flags)
    assert (parsed.port, parsed.rest_api_port, parsed.host) == (8500, 8501, "0.0.0.0")


def test_images_copy_what_is_there() -> None:
    for file in DEPLOY.glob("Dockerfile*"):
        for line in re.findall(r"^COPY (.+)$", file.read_text("utf-8"), re.MULTILINE):
            words = [word for word in line.split() if not word.startswith("--")]
            if "--from=export" in line:
                continue
            assert all((ROOT / word).exists() for word in words[:-1]), line


def test_the_official_image_has_one_version_everywhere() -> None:
    texts = [(DEPLOY / name).read_text("utf-8") for name in ("Dockerfile", "compose.yaml", "README.md")]
    texts.append((BASE / "deployment.yaml").read_text("utf-8"))
    for text in texts:
        assert set(re.findall(r"tensorflow/serving:[\w.-]+", text)) == {OFFICIAL_IMAGE}


def test_the_readme_names_every_file() -> None:
    text = (DEPLOY / "README.md").read_text("utf-8")
    files = [file.name for file in DEPLOY.iterdir() if file.is_file() and file.name not in ("README.md", "__init__.py")]
    overlays = [f"kubernetes/{folder.name}" for folder in (DEPLOY / "kubernetes").iterdir()]
    assert len(files) > 9 and [name for name in [*files, *overlays] if f"`{name}`" not in text] == []
    for name in ("alerts.yaml", "grafana_dashboard.json"):
        assert name in text


def test_no_file_switches_on_batching_of_tensorflow_serving() -> None:
    # It cannot join requests whose k is one number; our signatures have such a k.
    for flags in (_docker_flags("Dockerfile"), COMPOSE["tensorflow-serving"]["command"], CONTAINER["args"]):
        assert not [flag for flag in flags if "batching" in flag]
    assert "enable_batching" in (DEPLOY / "README.md").read_text("utf-8")


def test_the_clients_image_holds_what_the_conformance_check_needs(tmp_path: Path) -> None:
    for line in re.findall(r"^COPY (.+)$", (DEPLOY / "Dockerfile.client").read_text("utf-8"), re.MULTILINE):
        *sources, goal = line.split()
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / goal, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (tmp_path / goal).mkdir(exist_ok=True)
                shutil.copy(ROOT / source, tmp_path / goal)
    command = [sys.executable, "-m", "tfrec.serving.deploy.conformance", "--wait", "0.1"]
    command += ["--reference", "127.0.0.1:1", "--candidate", "127.0.0.1:1"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and re.match(r"error: .*127\.0\.0\.1:1\b", done.stderr), done.stderr


def test_compose_mounts_the_model_read_only_and_checks_both_servers() -> None:
    for name in ("tensorflow-serving", "embedded"):
        service = COMPOSE[name]
        assert all(volume["read_only"] for volume in service["volumes"]) and service["read_only"]
        assert service["cap_drop"] == ["ALL"] and service["user"] == "10001:10001"
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    from tfrec.serving.deploy.conformance.side import Side

    asked = dict(flag[2:].split("=", 1) for flag in COMPOSE["conformance"]["command"])
    for option, name in (("reference", "tensorflow-serving"), ("candidate", "embedded")):
        side = Side(asked[option], "tfrec")
        assert (side.address, side.rest_url) == (f"{name}:8500", f"http://{name}:8501")
        side.close()


def test_the_deployment_is_safe_and_probed() -> None:
    pod = DEPLOYMENT["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    guard = CONTAINER["securityContext"]
    assert guard["readOnlyRootFilesystem"] and not guard["allowPrivilegeEscalation"]
    assert guard["capabilities"]["drop"] == ["ALL"]
    mounts = {mount["name"]: mount for mount in CONTAINER["volumeMounts"]}
    assert mounts["models"]["readOnly"] and {volume["name"] for volume in pod["volumes"]} == set(mounts)
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"grpc": 8500, "http": 8501}
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(CONTAINER)
    assert pod["terminationGracePeriodSeconds"] > int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    assert CONTAINER["resources"]["limits"]["memory"] and CONTAINER["resources"]["requests"]


def test_the_manifests_are_about_the_same_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    service, budget = _yaml(BASE / "service.yaml")[0], _yaml(BASE / "disruption.yaml")[0]
    network, scaler = _yaml(BASE / "network.yaml")[0], _yaml(BASE / "autoscaler.yaml")[0]
    assert labels == DEPLOYMENT["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    assert labels == budget["spec"]["selector"]["matchLabels"] == network["spec"]["podSelector"]["matchLabels"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == DEPLOYMENT["metadata"]["name"]
    assert scaler["spec"]["minReplicas"] >= 2 and "replicas" not in DEPLOYMENT["spec"]  # one of them decides
    for name in ("models.config", "monitoring.config"):
        assert (BASE / name).read_bytes() == (DEPLOY / name).read_bytes()
    monitoring = (DEPLOY / "monitoring.config").read_text("utf-8")
    assert DEPLOYMENT["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"] in monitoring


@pytest.mark.parametrize(
    ("name", "image", "mounted"),
    [("base", OFFICIAL_IMAGE, True), ("image", "shop-search:1", False), ("embedded", "tfrec-server:1", True)],
)
def test_kustomize_builds_them(name: str, image: str, mounted: bool) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl to build the manifests with")
    command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes" / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = {document["kind"]: document for document in yaml.safe_load_all(done.stdout)}
    assert set(built) == {
        "ConfigMap", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy",
    }  # fmt: skip
    pod = built["Deployment"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == image
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["config"]["configMap"]["name"] == built["ConfigMap"]["metadata"]["name"]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert set(mounts) == set(volumes) and (mounts.get("models") == "/models/tfrec") is mounted


def test_every_shard_has_servers_of_its_own() -> None:
    from tfrec.serving.server.configuration.model_config import read_model_config_file

    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl to build the manifests with")
    folder = DEPLOY / "kubernetes" / "shards"
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    services = [one for one in built if one["kind"] == "Service"]
    pods = [one["spec"]["template"] for one in built if one["kind"] == "Deployment"]
    names = _yaml(folder / "kustomization.yaml")[0]["resources"]
    assert [pod["spec"]["containers"][0]["volumeMounts"][0]["subPath"] for pod in pods] == names
    for service, pod, name in zip(services, pods, names, strict=True):
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        assert service["metadata"]["name"] == f"tfrec-serving-{name[0]}" and service["spec"]["selector"]["tfrec/shard"]
        [model] = read_model_config_file(folder / name / "models.config")
        assert (model.name, str(model.base_path)) == ("tfrec", "/models/tfrec")


def test_the_schedulers_call_refresh_and_know_its_exit_codes() -> None:
    from typer.main import get_command

    from tfrec.cli.gate import DOUBTED, REFUSED
    from tfrec.cli.main import app
    from tfrec.cli.refresh import BUSY

    folder = DEPLOY / "refresh"
    known = {name for option in get_command(app).commands["refresh"].params for name in option.opts}
    job = _yaml(folder / "cronjob.yaml")[0]["spec"]
    pod = job["jobTemplate"]["spec"]
    [container] = pod["template"]["spec"]["containers"]
    assert container["args"][0] == "refresh" and job["concurrencyPolicy"] == "Forbid"
    [rule] = pod["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"] == {
        "containerName": container["name"], "operator": "In", "values": [2, REFUSED, DOUBTED]
    }  # fmt: skip
    unit, line = (folder / "tfrec-refresh.service").read_text(), (folder / "crontab").read_text()
    assert f"SuccessExitStatus={BUSY}\n" in unit and f"[ $code -eq {BUSY} ]" in line
    started = re.search(r"^ExecStart=.* refresh (.*)$", unit, re.MULTILINE)
    asked = re.search(r"/tfrec refresh (.*) 2>&1", line)
    assert started and asked
    for given in (started[1], asked[1], " ".join(container["args"])):
        used = re.findall(r"(?<!\S)(-c|--[a-z]+)\b", given)
        assert used and set(used) <= known, given
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["template"]["spec"]["volumes"]
    }


def test_manifests_of_training_say_what_the_programs_read() -> None:
    from tfrec.cli.local_workers import LOST
    from tfrec.tuner.worker import ADDRESS, PORT, TUNER_ID

    [job] = _yaml(DEPLOY / "training" / "tfjob.yaml")
    worker = job["spec"]["tfReplicaSpecs"]["Worker"]
    assert worker["restartPolicy"] == "ExitCode" and LOST >= 128, "codes below 128 end the job for good"
    service, chief, workers = _yaml(DEPLOY / "training" / "tune.yaml")
    pods = [worker["template"], chief["spec"]["template"], workers["spec"]["template"]]
    for pod, command in zip(pods, ("train", "tune", "tune"), strict=True):
        [container] = pod["spec"]["containers"]
        assert container["command"] == ["tfrec"] and container["args"] == [command, "--config=/shop/shop.yaml"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {one["name"] for one in pod["spec"]["volumes"]}
    assert worker["template"]["spec"]["containers"][0]["name"] == "tensorflow"
    led, own = ({one["name"]: one.get("value") for one in pod["spec"]["containers"][0]["env"]} for pod in pods[1:])
    assert set(own) - {"NUMBER"} == set(led) and {TUNER_ID, ADDRESS, PORT} < set(led)
    assert led[TUNER_ID] == "chief" and own[ADDRESS] == service["metadata"]["name"] and led[PORT] == own[PORT]
    assert int(own[PORT]) == service["spec"]["ports"][0]["port"]
    assert service["spec"]["selector"].items() <= chief["spec"]["template"]["metadata"]["labels"].items()
