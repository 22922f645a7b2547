"""Imports random base-size weights in every supported form and compares features with PyTorch's.

    pip install torch torchvision transformers safetensors
    cargo build --release -p clover-model --example imported_features
    python3 xtask/pytorch/base_weights.py [--target target] [--folder FOLDER] [--only FORM ...]

torchvision's `swin3d_b` and transformers' `BertModel` get random values in every parameter, norms
and biases included, and are saved in each form. The example reads both, computes the features of one
random clip of 8 frames of 224 px and one random text of 30 word pieces on each CPU backend, and this
script prints the largest absolute deviation from what PyTorch computes. Both ends are normalized
features of unit scale.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import torch
from safetensors.torch import load_file, save_file
from torchvision.models.video import swin3d_b
from transformers import BertConfig, BertModel

BOUND = 1e-4
SHARD_BYTES = 100_000_000


def randomized(model):
    """Random values everywhere: fresh models have biases of zero and norms of one."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model.eval()


def video_features(model, clip):
    """As torchvision's own forward, up to the pooling: [batch, frames, height, width, channels]."""
    return model.norm(model.features(model.pos_drop(model.patch_embed(clip))))


def published(name):
    """The published Video Swin name for one of torchvision's."""
    match = re.fullmatch(r"features\.(\d+)\.(.*)", name)
    if match is None:
        return name
    place, rest = int(match[1]), match[2]
    if place % 2 == 1:
        return f"layers.{place // 2}.downsample.{rest}"
    block, rest = rest.split(".", 1)
    rest = rest.replace("mlp.0.", "mlp.fc1.").replace("mlp.3.", "mlp.fc2.")
    return f"layers.{place // 2}.blocks.{block}.{rest}"


def save_shards(tensors, folder):
    """Safetensors files with an index, as transformers writes them."""
    folder.mkdir()
    shards, size = [{}], 0
    for name, tensor in tensors.items():
        if size > SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.numel() * tensor.element_size()
    places = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        places.update({name: file for name in shard})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return index


def saved(tensors, form, path):
    """Writes tensors in a form; returns the file to read."""
    if form == "safetensors":
        path = path.with_suffix(".safetensors")
        save_file(tensors, path)
    elif form == "sharded safetensors":
        path = save_shards(tensors, path.with_suffix(".shards"))
    elif form == "pt, in a state_dict, with an optimizer":
        path = path.with_suffix(".pt")
        state = {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3)}}
        groups = [{"lr": 1e-4, "params": [0]}]
        optimizer = {"state": state, "param_groups": groups}
        torch.save({"epoch": 3, "state_dict": tensors, "optimizer": optimizer}, path)
    else:
        path = path.with_suffix("." + form.split(",")[0])
        torch.save(tensors, path)
    return path


FORMS = {
    "pth": lambda name: name,
    "pth, published names behind backbone.": lambda name: "backbone." + published(name),
    "pt, in a state_dict, with an optimizer": lambda name: "module." + name,
    "bin": lambda name: name,
    "safetensors": lambda name: name,
    "sharded safetensors": lambda name: name,
}


def features(program, backend, video, text, folder):
    """What the example prints, and the features it wrote."""
    out = folder / "features.safetensors"
    command = [program, backend, video, text, folder / "input.safetensors", out]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{video}: {run.stderr.strip()}")
    said = [line.split(" ", 1) for line in run.stdout.splitlines()]
    figures = {key: float(value) for key, value in said if key != "unused"}
    unused = [value for key, value in said if key == "unused"]
    return figures, unused, load_file(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="target", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=list(FORMS))
    arguments = parser.parse_args()
    program = arguments.target / "release" / "examples" / "imported_features"
    torch.manual_seed(0)
    video, text = randomized(swin3d_b()), randomized(BertModel(BertConfig()))
    clip = torch.randn(1, 3, 8, 224, 224)
    ids = torch.randint(0, 30_522, (1, 30))
    with torch.no_grad():
        wanted = {"video": video_features(video, clip), "text": text(ids).last_hidden_state}
    scales = {part: value.std().item() for part, value in wanted.items()}
    print(f"standard deviations: video {scales['video']:.2f}, text {scales['text']:.2f}\n")
    print("| form | backend | read, s | read, MiB | video | text |")
    print("|---|---|---|---|---|---|")
    worst, unused = 0.0, []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        folder = pathlib.Path(folder)
        save_file({"clip": clip, "token_ids": ids.float()}, folder / "input.safetensors")
        for form in arguments.only:
            place = folder / "weights"
            place.mkdir()
            renamed = {FORMS[form](name): value for name, value in video.state_dict().items()}
            files = [saved(renamed, form, place / "video"), saved(text.state_dict(), form, place / "text")]
            for backend in ["flex", "ndarray"]:
                figures, unused, found = features(program, backend, *files, folder)
                deviations = [(found[part] - wanted[part]).abs().max().item() for part in wanted]
                worst = max(worst, *deviations)
                cells = [form, backend, f"{figures['read_seconds']:.1f}", f"{figures['read_mib']:.0f}"]
                print("| " + " | ".join(cells + [f"{value:.1e}" for value in deviations]) + " |", flush=True)
            shutil.rmtree(place)
    print("\nunused: " + ", ".join(unused))
    if worst > BOUND:
        raise SystemExit(f"the largest deviation, {worst:.1e}, is above {BOUND:.0e}")


if __name__ == "__main__":
    main()
