"""TF Serving's side files in text format: batching parameters, TLS and monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.errors import ServingError
from tfrec.serving.client.schema import message_class, read_pool
from tfrec.serving.server.configuration.text_files import read_text_file
from tfrec.serving.server.numbers import MOST_SECONDS, MOST_THREADS, whole

METRICS_PATH = "/monitoring/prometheus/metrics"
_LARGEST_BATCH = 1 << 16  # every size of a batch is run before a version answers
_POOL = read_pool(Path(__file__).with_name("settings.txtpb"))


@dataclass(frozen=True)
class BatchingParameters:
    """What TF Serving's BatchingParameters says; None leaves the server's own choice.

    Attributes:
        max_batch_size: rows of a batch at most.
        batch_timeout_micros: how long a batch waits for more rows, in microseconds.
        max_enqueued_batches: full batches that may wait; what comes beyond is RESOURCE_EXHAUSTED.
        num_batch_threads: batches that run at once.
        allowed_batch_sizes: sizes that batches are padded to, ascending, the last one max_batch_size.
        pad_variable_length_inputs: whether ragged second axes are padded to the longest of the batch.
    """

    max_batch_size: int | None = None
    batch_timeout_micros: int | None = None
    max_enqueued_batches: int | None = None
    num_batch_threads: int | None = None
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = True


def read_batching_parameters(path: Path | str) -> BatchingParameters:
    """Reads `--batching_parameters_file`.

    Raises:
        ServingError: the file cannot be read, or its values do not fit together.
    """
    message = _read(path, "BatchingParameters")

    def number(name: str, least: int, most: int) -> int | None:
        return whole(f"{path}: {name}", getattr(message, name).value, least, most) if message.HasField(name) else None

    sizes = tuple(message.allowed_batch_sizes)
    most = number("max_batch_size", 1, _LARGEST_BATCH)
    if sizes and (sizes[0] < 1 or any(a >= b for a, b in zip(sizes, sizes[1:], strict=False))):
        raise ServingError(f"{path}: allowed_batch_sizes must ascend from at least 1, not {list(sizes)}.")
    if sizes and sizes[-1] > _LARGEST_BATCH:
        raise ServingError(f"{path}: allowed_batch_sizes must end at {_LARGEST_BATCH} at most, not {sizes[-1]}.")
    if sizes and most is not None and sizes[-1] != most:
        raise ServingError(f"{path}: the last of allowed_batch_sizes must be max_batch_size ({most}), not {sizes[-1]}.")
    return BatchingParameters(
        max_batch_size=sizes[-1] if sizes else most,
        batch_timeout_micros=number("batch_timeout_micros", 0, MOST_SECONDS * 1_000_000),
        max_enqueued_batches=number("max_enqueued_batches", 1, 2**31 - 1),
        num_batch_threads=number("num_batch_threads", 1, MOST_THREADS),
        allowed_batch_sizes=sizes,
        pad_variable_length_inputs=message.pad_variable_length_inputs,
    )


@dataclass(frozen=True)
class TlsConfig:
    """The server's certificate and whom it trusts, all PEM.

    Attributes:
        key: private key of the server.
        certificate: its certificate, followed by those of intermediate authorities.
        client_authorities: certificates of the authorities whose clients are let in; empty asks clients for none.
        file: where this was read, for messages.
    """

    key: bytes
    certificate: bytes
    client_authorities: bytes = b""
    file: str = ""


def read_tls_config(path: Path | str) -> TlsConfig:
    """Reads `--ssl_config_file`. Its fields hold PEM text, or names of PEM files beside it.

    Raises:
        ServingError: a file cannot be read or holds no PEM, or clients shall be verified without an authority.
    """
    message = _read(path, "SSLConfig")
    folder = Path(path).parent
    key, certificate, authority = (
        _pem(name, getattr(message, name), folder, path) for name in ("server_key", "server_cert", "custom_ca")
    )
    if not key or not certificate:
        raise ServingError(f"{path} needs both server_key and server_cert: give them as PEM text or file names.")
    if message.client_verify and not authority:
        raise ServingError(f"{path} asks for client_verify but names no custom_ca: give the authority's certificate.")
    return TlsConfig(key, certificate, authority if message.client_verify else b"", str(path))


def _pem(name: str, value: str, folder: Path, path: Path | str) -> bytes:
    content = value.encode()
    if value and "-----BEGIN" not in value:
        try:
            content = (folder / value).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no such name"
            raise ServingError(
                f"{path}: the file of {name} cannot be read ({reason}): give PEM text or a file."
            ) from error
    if content and b"-----BEGIN" not in content:
        raise ServingError(f"{path}: {name} holds no PEM text: it must begin with -----BEGIN.")
    return content


@dataclass(frozen=True)
class MonitoringConfig:
    """Whether and where metrics are shown."""

    enable: bool = False
    path: str = METRICS_PATH


def read_monitoring_config(path: Path | str) -> MonitoringConfig:
    """Reads `--monitoring_config_file`.

    Raises:
        ServingError: the file cannot be read, or the path does not begin with a slash.
    """
    message = _read(path, "MonitoringConfig").prometheus_config
    shown = message.path or METRICS_PATH
    if not shown.startswith("/"):
        raise ServingError(f"{path}: the path of prometheus_config must begin with /, not {shown!r}.")
    return MonitoringConfig(message.enable, shown)


def _read(path: Path | str, name: str) -> Any:
    return read_text_file(path, message_class(_POOL, f"tensorflow.serving.{name}")())
