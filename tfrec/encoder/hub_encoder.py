"""Any TF-Hub transformer encoder with its preprocessor behind the face of TextEncoder."""
from __future__ import annotations
from tfrec.encoder.text_encoder import TextEncoder
class HubEncoder(TextEncoder):  # noqa
    pass
