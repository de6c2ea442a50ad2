"""TLS and mutual TLS for both ports, from one TlsConfig."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

import grpc

from tfrec.errors import ServingError
from tfrec.serving.server.configuration.config_files import TlsConfig


def grpc_credentials(config: TlsConfig) -> grpc.ServerCredentials:
    """Credentials of the gRPC port; clients need a certificate when the config names authorities.

    Raises:
        ServingError: key and certificate do not fit each other, or are not readable.
    """
    ssl_context(config)  # gRPC itself only logs a key that does not fit, and then refuses every client
    return grpc.ssl_server_credentials(
        [(config.key, config.certificate)], config.client_authorities or None, bool(config.client_authorities)
    )


def ssl_context(config: TlsConfig) -> ssl.SSLContext:
    """The context of the REST port: TLS 1.2 or newer, with the same demands on clients.

    Raises:
        ServingError: key and certificate do not fit each other, or are not readable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The ssl module reads keys from files only: one that nobody else can read, for a moment.
    with tempfile.TemporaryDirectory(prefix="tfrec-tls-") as folder:
        file = Path(folder) / "chain.pem"
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(config.key.rstrip() + b"\n" + config.certificate)
        try:
            # An empty password, or an encrypted key would ask for one on the terminal.
            context.load_cert_chain(file, password="")
            if config.client_authorities:
                context.load_verify_locations(cadata=config.client_authorities.decode("ascii"))
                context.verify_mode = ssl.CERT_REQUIRED
        except (ssl.SSLError, ValueError, OSError) as error:
            where = config.file or "the TLS settings"
            reason = getattr(error, "reason", None) or type(error).__name__
            raise ServingError(
                f"The key and certificates of {where} cannot be used ({reason}): give an unencrypted PEM key and its "
                "certificate."
            ) from error
    return context
