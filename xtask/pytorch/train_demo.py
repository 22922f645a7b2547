"""Trains the model of `clover demo --quick` on the same rendered clips, in PyTorch: where this learns
sooner than Clover, Clover is at fault.

    python xtask/pytorch/train_demo.py OUT/clips [--steps 1124] [--batch 32] [--learning-rate 7e-4]
        [--frames 4] [--seed 0] [--threads 1] [--every 300] [--group-size 2]

`OUT` is the folder of a demo. Needs PyTorch and Pillow. Everything is as in `recipes/demo.toml` but
for the random numbers. Every so many steps a line says the loss, the text-to-video R@1 over the test
pairs, and the share of pair tests that are right, by skill, in percent; a last line is JSON of all.
"""

import argparse
import csv
import json
import math
import pathlib
import random
import time

import pretraining_step as model
import torch
from PIL import Image, ImageSequence
from torch import nn
from torch.nn import functional as F

TEXT, MASKED_SHARE, REGION_TARGET = 18, 0.5, 10
MINIMUM_RATIO, WARMUP_EPOCHS, WARMUP_START_RATIO = 1e-3, 0.25, 1e-3
# In the order of the channels: blue, green, red.
MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


# Clips and texts


def read_clip(path):
    """`[channels, frames, rows, columns]`, all frames, normalized."""
    with Image.open(path) as image:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(image)]
    size = (len(frames), frames[0].height, frames[0].width, 3)
    pixels = torch.frombuffer(bytearray(b"".join(f.tobytes() for f in frames)), dtype=torch.uint8)
    blue_first = pixels.view(size).flip(-1).float()
    return ((blue_first - torch.tensor(MEAN)) / torch.tensor(DEVIATION)).permute(3, 0, 1, 2)


def training_frames(total, wanted):
    """One of each stretch."""
    stretch = total // wanted
    return [i * stretch + random.randrange(stretch) for i in range(wanted)]


def test_frames(total, wanted):
    """The middle of each stretch."""
    return [int(i * (total / wanted) + total / wanted / 2) for i in range(wanted)]


class Vocabulary:
    def __init__(self, path):
        self.ids = {piece: number for number, piece in enumerate(path.read_text().splitlines())}
        self.pad, self.unknown, self.cls, self.sep, self.mask = map(self.ids.get, SPECIAL)

    def word(self, word):
        """The longest pieces from the left."""
        found, rest, prefix = [], word, ""
        while rest:
            ends = range(len(rest), 0, -1)
            end = next((end for end in ends if prefix + rest[:end] in self.ids), None)
            if end is None:
                return [self.unknown]
            found.append(self.ids[prefix + rest[:end]])
            rest, prefix = rest[end:], "##"
        return found

    def encode(self, text):
        """The ids of a text, and the positions of each word's pieces."""
        ids, words = [self.cls], []
        for word in text.lower().split():
            pieces = self.word(word)[: TEXT - 1 - len(ids)]
            if pieces:
                words.append(range(len(ids), len(ids) + len(pieces)))
            ids += pieces
        ids.append(self.sep)
        return ids + [self.pad] * (TEXT - len(ids)), words

    def padding(self, ids):
        return (ids == self.pad).float() * -1e4


def read_pairs(folder):
    with open(folder / "pairs.csv", newline="") as file:
        return [(folder / row["path"], row["caption"]) for row in csv.DictReader(file)]


# What is hidden


def hide_words(ids, words, vocabulary):
    """Masked ids, and the positions whose words are to be predicted."""
    chosen = random.sample(words, max(1, round(MASKED_SHARE * len(words))))
    positions = sorted(position for word in chosen for position in word)
    masked = list(ids)
    for position in positions:
        if random.random() < 0.8:
            masked[position] = vocabulary.mask
        elif random.random() < 0.5:
            masked[position] = random.randrange(len(vocabulary.ids))
    return masked, positions


def hide_regions():
    """Rectangles of a grid of 7 x 7 until ten cells are hidden, or no rectangle fits."""
    mask, done, side = torch.zeros(7, 7), 0, model.REGIONS
    while done < REGION_TARGET:
        for _ in range(10):
            room = REGION_TARGET - done
            area, ratio = random.uniform(4, room), math.exp(random.uniform(-1, 1) * math.log(1 / 0.3))
            rows, columns = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if rows >= side or columns >= side:
                continue
            top, left = random.randint(0, side - rows), random.randint(0, side - columns)
            block = mask[top : top + rows, left : left + columns]
            new = rows * columns - int(block.sum())
            if 0 < new <= room:
                block.fill_(1.0)
                done += new
                break
        else:
            break
    return mask


def batch_of(rows, vocabulary, frames):
    """What the model reads, of clips with their encoded captions."""
    clips = torch.stack([clip[:, training_frames(clip.shape[1], frames)] for clip, _ in rows])
    ids = torch.tensor([ids for _, (ids, _) in rows])
    masked, hidden = zip(*(hide_words(ids, words, vocabulary) for _, (ids, words) in rows))
    positions = torch.tensor([row * TEXT + place for row, places in enumerate(hidden) for place in places])
    regions = torch.stack([hide_regions() for _ in rows])
    labels, masked = ids.flatten()[positions], torch.tensor(masked)
    return clips, ids, masked, vocabulary.padding(ids), positions, regions, labels


def epoch_order(length, group):
    """Groups of neighbours are shuffled; 1 shuffles all."""
    groups = [list(range(start, min(start + group, length))) for start in range(0, length, group)]
    random.shuffle(groups)
    return [item for group in groups for item in group]


# The model


def by_width(clover):
    """The starting values of `starting_weights = "by-width"`: inside blocks a deviation of one over the
    root of the inputs, and token types that do not drown what they are added to. Heads start with
    Xavier's, as published. The projections before the blocks start as PyTorch's own layers do."""
    heads = (clover.video_head, clover.text_head, clover.fused_video_head, clover.fused_text_head)
    blocks = (clover.video.layers, clover.text.layers, clover.fusion.layers)
    for part in (*blocks, *heads, clover.words):
        for layer in (layer for layer in part.modules() if isinstance(layer, nn.Linear)):
            if part in blocks:
                nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            else:
                nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    text = clover.text
    for table in (text.word, text.position, text.segment, clover.fusion.kind):
        nn.init.normal_(table.weight, std=0.02)


def learning_rate(base, step, steps, epoch):
    """A cosine from the first step to the last, scaled during the warm-up."""
    minimum, warmup = base * MINIMUM_RATIO, WARMUP_EPOCHS * epoch
    rate = minimum + (base - minimum) * (1 + math.cos(math.pi * step / steps)) / 2
    if step < warmup:
        rate *= 1 - (1 - step / warmup) * (1 - WARMUP_START_RATIO)
    return rate


# Measuring


def embed_clips(clover, clips, frames):
    chosen = torch.stack([clip[:, test_frames(clip.shape[1], frames)] for clip in clips])
    return F.normalize(clover.video_head(clover.video(chosen).mean((1, 2, 3))), dim=1)


def embed_texts(clover, texts, vocabulary):
    ids = torch.tensor([vocabulary.encode(text)[0] for text in texts])
    return F.normalize(clover.text_head(clover.text(ids, vocabulary.padding(ids))[:, 0]), dim=1)


@torch.no_grad()
def measure(clover, test, tests, vocabulary, frames):
    """R@1 and the accuracy of each skill, in percent."""
    clover.eval()
    videos = embed_clips(clover, [clip for clip, _ in test.values()], frames)
    captions = embed_texts(clover, [caption for _, caption in test.values()], vocabulary)
    first = (captions @ videos.T).argmax(1) == torch.arange(len(videos))
    found = {"R@1": 100 * first.float().mean().item()}
    place = {path.name: number for number, path in enumerate(test)}
    own = videos[[place[pathlib.Path(one["clip"]).name] for one in tests]]
    options = [embed_texts(clover, [one["options"][i] for one in tests], vocabulary) for i in (0, 1)]
    cosines = torch.stack([(own * option).sum(1) for option in options], 1)
    answers = torch.tensor([one["answer"] for one in tests])[:, None]
    right = (cosines.gather(1, answers) > cosines.gather(1, 1 - answers)).flatten().tolist()
    for skill in dict.fromkeys(one["skill"] for one in tests):
        of_skill = [ok for ok, one in zip(right, tests) if one["skill"] == skill]
        found[skill] = 100 * sum(of_skill) / len(of_skill)
    clover.train()
    return found


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("clips", type=pathlib.Path)
    for name, usual in (("steps", 1124), ("batch", 32), ("frames", 4), ("seed", 0), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--learning-rate", type=float, default=7e-4)
    parser.add_argument("--every", type=int, default=300)
    parser.add_argument("--group-size", type=int, default=2)
    return parser.parse_args()


def main():
    given = arguments()
    random.seed(given.seed)
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    vocabulary = Vocabulary(given.clips / "vocab.txt")
    train = [(read_clip(path), vocabulary.encode(text)) for path, text in read_pairs(given.clips / "train")]
    test = {path: (read_clip(path), text) for path, text in read_pairs(given.clips / "test")}
    tests = [json.loads(line) for line in open(given.clips / "test" / "pair_tests.jsonl")]

    # The sizes of the model are globals of the module; nothing is dropped at random here.
    sizes = {**model.PRESETS["tiny"], "VOCABULARY": len(vocabulary.ids), "DROPOUT": 0.0, "DROP_PATH": 0.0}
    for name, value in sizes.items():
        setattr(model, name, value)
    clover = model.Clover(given.frames, train[0][0].shape[-1])
    by_width(clover)
    adamw = model.optimizer(clover)
    print(f"{len(train)} pairs, {sum(p.numel() for p in clover.parameters())} parameters", flush=True)

    epoch, order, curve, losses, start = len(train) // given.batch, [], [], [], time.perf_counter()
    for step in range(given.steps):
        if len(order) < given.batch:
            order = epoch_order(len(train), given.group_size)
        rows, order = [train[item] for item in order[: given.batch]], order[given.batch :]
        batch = batch_of(rows, vocabulary, given.frames)
        for group in adamw.param_groups:
            group["lr"] = learning_rate(given.learning_rate, step, given.steps, epoch)
        adamw.zero_grad()
        loss = model.total_loss(clover(batch), batch[-1])
        loss.backward()
        nn.utils.clip_grad_norm_(clover.parameters(), model.CLIP_NORM)
        adamw.step()
        losses.append(loss.item())
        if step == 0 or (step + 1) % given.every == 0 or step + 1 == given.steps:
            lately = sum(losses[-50:]) / len(losses[-50:])
            found = measure(clover, test, tests, vocabulary, given.frames)
            curve.append({"step": step + 1, "loss": lately, **found})
            print(" ".join(f"{name} {value:.4g}" for name, value in curve[-1].items()), flush=True)
    settings = {name: str(value) for name, value in vars(given).items()}
    seconds = time.perf_counter() - start
    print(json.dumps({"settings": settings, "seconds": seconds, "curve": curve, "losses": losses}))


if __name__ == "__main__":
    main()
