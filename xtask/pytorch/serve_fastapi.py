"""The yardstick of the bench `load`: search and embeddings as a FastAPI script around open_clip serves them,
with a random text encoder of the size of this project's tiny preset and random rows.

    python xtask/pytorch/serve_fastapi.py ROWS WIDTH

Prints `listening on ADDRESS`. Every request is computed by itself in FastAPI's thread pool.
"""

import socket
import sys

import numpy as np
import open_clip
import torch
import uvicorn
from fastapi import FastAPI
from open_clip.model import CLIP
from pydantic import BaseModel

ROWS, WIDTH = int(sys.argv[1]), int(sys.argv[2])
# BERT-Tiny's: 2 layers, 128 wide, 2 heads, and as many positions as the bundle of the bench reads.
TEXT = {"context_length": 12, "width": 128, "heads": 2, "layers": 2}
VISION = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 32}

model = CLIP(embed_dim=WIDTH, vision_cfg=VISION, text_cfg=TEXT).eval()
tokenize = open_clip.SimpleTokenizer(context_length=TEXT["context_length"])
rows = np.random.default_rng(1).standard_normal((ROWS, WIDTH)).astype(np.float32)
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
app = FastAPI()


class Search(BaseModel):
    text: str
    top: int


class Embed(BaseModel):
    texts: list[str]


@torch.inference_mode()
def embed_texts(texts):
    return model.encode_text(tokenize(texts), normalize=True).numpy()


@app.post("/api/v1/search")
def search(asked: Search):
    scores = rows @ embed_texts([asked.text])[0]
    best = np.argpartition(-scores, asked.top)[: asked.top]
    best = best[np.argsort(-scores[best])]
    return {"moments": [{"row": int(row), "score": float(scores[row])} for row in best]}


@app.post("/api/v1/embed")
def embed(asked: Embed):
    return {"dim": WIDTH, "embeddings": embed_texts(asked.texts).tolist()}


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    host, port = listener.getsockname()
    print(f"listening on {host}:{port}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
