"""Model status and metadata as TF Serving's REST API writes them: protobuf's JSON with the fields' own names."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format

from tfrec.serving.server.protocol.stubs import get_model_metadata_pb2


def write_status(response: Any) -> str:
    """A GetModelStatusResponse as JSON."""
    return json.dumps(_plain(response), indent=1, ensure_ascii=False) + "\n"


def write_metadata(response: Any) -> str:
    """A GetModelMetadataResponse as JSON; its packed signatures are written out."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    told = {"model_spec": _plain(response.model_spec), "metadata": {"signature_def": _plain(signatures)}}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _plain(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
