"""A client of TF Serving's gRPC protocol for tfrec's exports, without TensorFlow: grpcio, protobuf and numpy only.

>>> from tfrec.serving.client import Client
>>> with Client("127.0.0.1:8500") as shop:          # doctest: +SKIP
...     for hit in shop.search("red leather sofa", k=3)[0]:
...         print(hit.item_id, hit.score)
"""

from tfrec.serving.client.aio import AsyncClient
from tfrec.serving.client.client import Client
from tfrec.serving.client.connection import Tls
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.experiment import Compared, Experiment, TeamHit
from tfrec.serving.client.results import (
    Answer,
    Hit,
    LeftOut,
    ModelMetadata,
    Parts,
    Signature,
    TensorSpec,
    Understood,
    VersionStatus,
)
from tfrec.serving.client.sharded import ShardedClient
from tfrec.serving.client.sharded_aio import AsyncShardedClient
from tfrec.serving.client.shopper_header import shopper

__all__ = [
    "Answer",
    "AsyncClient",
    "AsyncShardedClient",
    "Client",
    "ClientError",
    "Compared",
    "Experiment",
    "Hit",
    "LeftOut",
    "ModelMetadata",
    "Parts",
    "ShardedClient",
    "Signature",
    "TeamHit",
    "TensorSpec",
    "Tls",
    "Understood",
    "VersionStatus",
    "shopper",
]
