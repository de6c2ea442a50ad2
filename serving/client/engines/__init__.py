"""Hybrid search over an engine that holds the catalogue: the export reads the query, the engine finds items.

>>> from tfrec.serving.client import Client
>>> from tfrec.serving.client.engines import HybridClient
>>> from tfrec.serving.client.engines.postgres import PostgresEngine
>>> shop = HybridClient(Client("127.0.0.1:8500"), PostgresEngine("postgresql:///shop"))          # doctest: +SKIP
>>> shop.search("red leather sofa", k=3)          # doctest: +SKIP
"""

from tfrec.serving.client.engines.hybrid import Engine, Found, HybridClient

__all__ = ["Engine", "Found", "HybridClient"]
