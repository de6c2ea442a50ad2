"""What a team writes in an afternoon: sentence-transformers and NumPy behind FastAPI. The comparison of serving.py.

    python benchmarks/serving_fastapi.py CHECKPOINT --items 43000 --port 0

Same encoder, same number of items and dimensions, exact top-k. The model is cast to bf16 where that is faster, as the
export's is. A plain `def` endpoint, which FastAPI runs in its thread pool: PyTorch lets the interpreter go meanwhile.
"""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import Any

import numpy as np


def make_app(checkpoint: Path, items: int, threads: int, half: bool) -> Any:
    """The application: POST /search {"query": "...", "k": 10} -> {"item_ids": [...], "scores": [...]}."""
    import torch
    from fastapi import FastAPI
    from pydantic import BaseModel
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(checkpoint), device="cpu")
    if half:
        model = model.to(torch.bfloat16)
    vectors = np.random.default_rng(17).standard_normal((items, 384), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"item-{number}" for number in range(items)]

    class Search(BaseModel):
        query: str
        k: int = 10

    app = FastAPI()

    def search(request: Search) -> dict[str, Any]:
        vector = model.encode(request.query, normalize_embeddings=True, show_progress_bar=False, convert_to_tensor=True)
        scores = vectors @ vector.float().numpy()
        best = np.argpartition(-scores, request.k)[: request.k]
        best = best[np.argsort(-scores[best])]
        return {"item_ids": [ids[row] for row in best], "scores": scores[best].tolist()}

    search.__annotations__ = {"request": Search, "return": dict[str, Any]}
    app.post("/search")(search)
    search(Search(query="warm up"))
    return app


def main() -> None:
    """Serves until SIGTERM."""
    import uvicorn

    parser = argparse.ArgumentParser(description="sentence-transformers and NumPy behind FastAPI.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--items", type=int, default=43_000)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch within one call")
    parser.add_argument("--half", action="store_true", help="bf16 weights")
    given = parser.parse_args()
    app = make_app(given.checkpoint, given.items, given.threads, given.half)
    with socket.socket() as place:
        place.bind(("127.0.0.1", given.port))
        print(f"Ready at 127.0.0.1:{place.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[place])


if __name__ == "__main__":
    main()
