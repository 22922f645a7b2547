"""Times one pre-training step: the yardstick of
`cargo bench -p clover-trainer --bench pretraining_step`, and on a GPU that of `cargo xtask gpu`.

A preset with 30522 words and texts of 20 tokens: forward, losses, backward, clipping and AdamW, with
dropout and stochastic depth:

    python xtask/pytorch/pretraining_step.py [threads] [repetitions] [batch] [frames] [size]
        [--preset tiny|small|base] [--device cpu|cuda] [--precision f32|bf16] [--compile] [--step-only]

`bf16` is PyTorch's autocast; `--step-only` leaves out the parts of a step.
"""

import argparse
import functools
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, TEXT, MASKED_A_TEXT, POSITIONS = 30522, 20, 3, 512
HEAD_WIDTH, STAGES = 32, 4
PATCH, WINDOW, REGIONS = (2, 4, 4), (8, 7, 7), 7
FUSION_LAYERS, DROPOUT = 3, 0.1
TEMPERATURE, MARGIN, CLIP_NORM = 0.05, 5.0, 15.0

PRESETS = {
    "tiny": {"CHANNELS": 32, "DEPTHS": (2, 2, 2, 2), "DROP_PATH": 0.1, "WIDTH": 128, "HEADS": 2, "TEXT_LAYERS": 2},
    "small": {"CHANNELS": 96, "DEPTHS": (2, 2, 6, 2), "DROP_PATH": 0.1, "WIDTH": 512, "HEADS": 8, "TEXT_LAYERS": 4},
    "base": {"CHANNELS": 128, "DEPTHS": (2, 2, 18, 2), "DROP_PATH": 0.3, "WIDTH": 768, "HEADS": 12, "TEXT_LAYERS": 12},
}
CHANNELS = DEPTHS = DROP_PATH = WIDTH = HEADS = TEXT_LAYERS = None


# Video Swin


@functools.cache
def relative_position_index(tokens):
    """The table row for each pair of the first tokens of a full window."""
    axes = torch.meshgrid(*[torch.arange(extent) for extent in WINDOW], indexing="ij")
    places = torch.stack(axes).flatten(1)[:, :tokens]
    index = torch.zeros(tokens, tokens, dtype=torch.long)
    for axis, extent in enumerate(WINDOW):
        offsets = places[axis][:, None] - places[axis][None, :] + extent - 1
        index = index * (2 * extent - 1) + offsets
    return index.flatten()


def cut(x, window):
    batch, frames, rows, columns, channels = x.shape
    f, h, w = window
    x = x.view(batch, frames // f, f, rows // h, h, columns // w, w, channels)
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(-1, f * h * w, channels)


def join(windows, window, shape):
    batch, frames, rows, columns, channels = shape
    f, h, w = window
    x = windows.view(batch, frames // f, rows // h, columns // w, f, h, w, channels)
    return x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(shape)


@functools.cache
def shift_mask(grid, window, shift):
    regions = torch.zeros(1, *grid, 1)
    for axis in range(3):
        if shift[axis]:
            part = torch.zeros(grid[axis])
            part[grid[axis] - window[axis] : grid[axis] - shift[axis]] = 1
            part[grid[axis] - shift[axis] :] = 2
            shape = [1, 1, 1, 1, 1]
            shape[axis + 1] = -1
            regions = 3 * regions + part.view(shape)
    regions = cut(regions, window).squeeze(-1)
    return torch.where(regions[:, :, None] == regions[:, None, :], 0.0, -100.0)


class WindowAttention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.heads = channels // HEAD_WIDTH
        self.qkv, self.proj = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        rows = (2 * WINDOW[0] - 1) * (2 * WINDOW[1] - 1) * (2 * WINDOW[2] - 1)
        self.relative_table = nn.Parameter(torch.randn(rows, self.heads) * 0.02)

    def forward(self, x, mask):
        windows, tokens, channels = x.shape
        qkv = self.qkv(x).view(windows, tokens, 3, self.heads, HEAD_WIDTH).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        scores = (q * HEAD_WIDTH**-0.5) @ k.transpose(-2, -1)
        bias = self.relative_table[relative_position_index(tokens)].view(tokens, tokens, self.heads)
        scores = scores + bias.permute(2, 0, 1)
        if mask is not None:
            scores = scores.view(-1, mask.shape[0], self.heads, tokens, tokens) + mask[:, None]
            scores = scores.view(windows, self.heads, tokens, tokens)
        x = torch.softmax(scores, -1) @ v
        return self.proj(x.transpose(1, 2).reshape(windows, tokens, channels))


class SwinBlock(nn.Module):
    def __init__(self, channels, shifted, drop_path):
        super().__init__()
        self.shifted, self.drop_path = shifted, drop_path
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = WindowAttention(channels)
        self.fc1, self.fc2 = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)

    def residual(self, branch):
        if not self.training or self.drop_path == 0.0:
            return branch
        keep = 1.0 - self.drop_path
        return branch * (torch.empty(branch.shape[0], 1, 1, 1, 1).bernoulli_(keep) / keep)

    def mix(self, x):
        grid = tuple(x.shape[1:4])
        window = tuple(min(extent, size) for extent, size in zip(WINDOW, grid))
        assert all(size % extent == 0 for size, extent in zip(grid, window)), "no whole windows"
        shift = tuple(e // 2 if self.shifted and s > e else 0 for e, s in zip(WINDOW, grid))
        if not any(shift):
            return join(self.attention(cut(x, window), None), window, x.shape)
        mask = shift_mask(grid, window, shift)
        rolled = torch.roll(x, [-s for s in shift], (1, 2, 3))
        mixed = join(self.attention(cut(rolled, window), mask), window, x.shape)
        return torch.roll(mixed, shift, (1, 2, 3))

    def forward(self, x):
        x = x + self.residual(self.mix(self.norm1(x)))
        return x + self.residual(self.fc2(F.gelu(self.fc1(self.norm2(x)))))


class PatchMerging(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x):
        x = F.pad(x, (0, 0, 0, x.shape[3] % 2, 0, x.shape[2] % 2))
        even, odd = x[:, :, 0::2], x[:, :, 1::2]
        neighbours = [even[:, :, :, 0::2], odd[:, :, :, 0::2]]
        neighbours += [even[:, :, :, 1::2], odd[:, :, :, 1::2]]
        return self.reduction(self.norm(torch.cat(neighbours, -1)))


class VideoSwin(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv3d(3, CHANNELS, PATCH, PATCH)
        self.patch_norm = nn.LayerNorm(CHANNELS)
        self.mask_token = nn.Parameter(torch.randn(CHANNELS) * 0.02)
        layers, last = [], sum(DEPTHS) - 1
        for stage, depth in enumerate(DEPTHS):
            channels = CHANNELS << stage
            for block in range(depth):
                drop_path = DROP_PATH * (sum(DEPTHS[:stage]) + block) / last
                layers.append(SwinBlock(channels, block % 2 == 1, drop_path))
            if stage + 1 < STAGES:
                layers.append(PatchMerging(channels))
        self.layers = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(CHANNELS << (STAGES - 1))

    def forward(self, clips, region_mask=None):
        x = self.patch_norm(self.patches(clips).permute(0, 2, 3, 4, 1))
        if region_mask is not None:
            times = x.shape[2] // REGIONS
            masked = region_mask.repeat_interleave(times, 1).repeat_interleave(times, 2)
            masked = masked[:, None, :, :, None]
            x = x * (1.0 - masked) + self.mask_token * masked
        return self.norm(self.layers(x))


# BERT and the fusion encoder


class BertLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.value, self.output = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, 1e-12), nn.LayerNorm(WIDTH, 1e-12)
        self.inner, self.outer = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], HEADS, WIDTH // HEADS).transpose(1, 2)

    def forward(self, x, padding):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = (q * (WIDTH // HEADS) ** -0.5) @ k.transpose(-2, -1) + padding[:, None, None]
        context = self.dropout(torch.softmax(scores, -1)) @ v
        mixed = self.output(context.transpose(1, 2).reshape(x.shape))
        x = self.norm1(x + self.dropout(mixed))
        return self.norm2(x + self.dropout(self.outer(F.gelu(self.inner(x)))))


class TextEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.word, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.segment = nn.Embedding(2, WIDTH)
        self.norm, self.dropout = nn.LayerNorm(WIDTH, 1e-12), nn.Dropout(DROPOUT)
        self.layers = nn.ModuleList(BertLayer() for _ in range(TEXT_LAYERS))

    def forward(self, ids, padding):
        place = self.position.weight[: ids.shape[1]] + self.segment.weight[0]
        x = self.dropout(self.norm(self.word(ids) + place))
        for layer in self.layers:
            x = layer(x, padding)
        return x


class FusionEncoder(nn.Module):
    def __init__(self, times, regions):
        super().__init__()
        self.video_projection = nn.Linear(CHANNELS << (STAGES - 1), WIDTH)
        self.space = nn.Parameter(torch.randn(1, 1, regions, WIDTH) * 0.02)
        self.time = nn.Parameter(torch.randn(1, times, 1, WIDTH) * 0.02)
        self.kind, self.norm = nn.Embedding(2, WIDTH), nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList(BertLayer() for _ in range(FUSION_LAYERS))

    def forward(self, video, text, padding):
        """The last hidden states at the text's positions."""
        place = (self.space + self.time).flatten(1, 2)
        video = self.video_projection(video.flatten(1, 3)) + place + self.kind.weight[0]
        x = torch.cat([self.norm(video), text + self.kind.weight[1]], 1)
        padding = F.pad(padding, (x.shape[1] - padding.shape[1], 0))
        for layer in self.layers:
            x = layer(x, padding)
        return x[:, -text.shape[1] :]


# Heads and the whole


def video_head(width):
    return nn.Sequential(
        nn.Linear(width, 2 * WIDTH),
        nn.LayerNorm(2 * WIDTH),
        nn.GELU(),
        nn.Linear(2 * WIDTH, WIDTH),
        nn.LayerNorm(WIDTH),
    )


def text_head(dropout):
    layers = [nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Dropout(dropout), nn.Linear(WIDTH, WIDTH)]
    return nn.Sequential(*layers)


class Clover(nn.Module):
    def __init__(self, frames, size):
        super().__init__()
        rows = size // PATCH[1]
        for _ in range(STAGES - 1):
            rows = (rows + 1) // 2
        self.video, self.text = VideoSwin(), TextEncoder()
        self.fusion = FusionEncoder(frames // PATCH[0], rows * rows)
        self.video_head, self.text_head = video_head(CHANNELS << (STAGES - 1)), text_head(0.0)
        self.fused_video_head, self.fused_text_head = video_head(WIDTH), text_head(DROPOUT)
        self.words = nn.Sequential(
            nn.Linear(WIDTH, WIDTH),
            nn.GELU(),
            nn.LayerNorm(WIDTH, 1e-12),
            nn.Linear(WIDTH, VOCABULARY),
        )

    def forward(self, batch):
        clips, ids, masked_ids, padding, positions, region_mask, _ = batch
        video, masked_video = self.video(clips), self.video(clips, region_mask)
        text, masked_text = self.text(ids, padding), self.text(masked_ids, padding)
        fused_video = self.fusion(masked_video, text, padding)
        fused_text = self.fusion(video, masked_text, padding)
        return (
            self.video_head(video.mean((1, 2, 3))),
            self.text_head(text[:, 0]),
            self.video_head(masked_video.mean((1, 2, 3))),
            self.text_head(masked_text[:, 0]),
            self.fused_video_head(fused_video[:, 0]),
            self.fused_text_head(fused_text[:, 0]),
            self.words(fused_text.flatten(0, 1)[positions]),
        )


# Losses


def alignment(anchor, *positives):
    batch = anchor.shape[0]
    scores = [anchor @ positive.T / TEMPERATURE for positive in positives]
    own = [s.diagonal() for s in scores]
    same = torch.eye(batch, dtype=torch.bool)
    others = torch.logsumexp(torch.cat([s.masked_fill(same, -1e4) for s in scores], 1), 1)
    forward = sum((torch.logaddexp(mine, others) - mine).sum() for mine in own)
    reverse = sum((torch.logsumexp(s, 0) - mine).sum() for s, mine in zip(scores, own))
    return forward / batch + reverse / (3 * batch)


def ranking(anchor, complete, masked):
    gap = ((anchor * complete).sum(1) - (anchor * masked).sum(1)) / TEMPERATURE
    return F.relu(MARGIN - gap).mean()


def total_loss(output, labels):
    unit = [F.normalize(embedding, dim=1, eps=1e-8) for embedding in output[:-1]]
    video, text, masked_video, masked_text, fused_video, fused_text = unit
    cross_entropy = F.cross_entropy(output[-1], labels, reduction="none")
    word = ((1.0 - torch.exp(-cross_entropy)) ** 2 * cross_entropy).mean()
    aligned = alignment(video, text, masked_text, fused_video)
    aligned = aligned + alignment(text, video, masked_video, fused_text)
    ranked = ranking(video, text, masked_text) + ranking(text, video, masked_video)
    return word + aligned + ranked


def optimizer(clover):
    decayed, undecayed = [], []
    for name, parameter in clover.named_parameters():
        # Of the vectors only the mask token is neither a bias nor part of a norm.
        plain = parameter.dim() == 1 and "mask_token" not in name
        (undecayed if plain or "relative_table" in name else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": 0.005},
        {"params": undecayed, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.98), eps=1e-8)


def random_batch(batch, frames, size):
    ids = torch.randint(VOCABULARY, (batch, TEXT))
    masked = torch.arange(1, MASKED_A_TEXT + 1)
    masked_ids = ids.clone()
    masked_ids[:, masked] = 103
    padding = torch.zeros(batch, TEXT)
    padding[:, 3 * TEXT // 4 :] = -1e4
    positions = (torch.arange(batch)[:, None] * TEXT + masked).flatten()
    region_mask = torch.zeros(batch, REGIONS, REGIONS)
    region_mask[:, 1:3, 1:6] = 1.0
    clips = torch.randn(batch, 3, frames, size, size)
    return clips, ids, masked_ids, padding, positions, region_mask, ids.flatten()[positions]


def report(name, step, repetitions, device):
    for _ in range(2):
        step()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1e3)
    print(f"{name}: best {min(times):.1f} ms, median {statistics.median(times):.1f} ms", flush=True)


def arguments():
    parser = argparse.ArgumentParser()
    for name, usual in zip(("threads", "repetitions", "batch", "frames", "size"), (2, 15, 16, 4, 28)):
        parser.add_argument(name, type=int, nargs="?", default=usual)
    parser.add_argument("--preset", choices=PRESETS, default="tiny")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--step-only", action="store_true")
    return parser.parse_args()


def main():
    given = arguments()
    globals().update(PRESETS[given.preset])
    torch.manual_seed(0)
    torch.set_num_threads(given.threads)
    torch.set_default_device(given.device)
    clover = Clover(given.frames, given.size)
    print(f"{sum(p.numel() for p in clover.parameters())} parameters")
    adamw = optimizer(clover)
    batch = random_batch(given.batch, given.frames, given.size)
    clips, ids, _, padding, _, region_mask, labels = batch
    model = torch.compile(clover) if given.compile else clover
    half = given.precision == "bf16"

    def loss_of_batch():
        with torch.autocast(given.device, torch.bfloat16, enabled=half):
            output = model(batch)
        return total_loss([part.float() for part in output], labels)

    def update():
        nn.utils.clip_grad_norm_(clover.parameters(), CLIP_NORM)
        adamw.step()

    def train():
        adamw.zero_grad()
        loss = loss_of_batch()
        loss.item()
        loss.backward()
        update()

    def forward():
        clover.eval()
        with torch.no_grad():
            loss_of_batch()
        clover.train()

    def part(module, *inputs):
        adamw.zero_grad()
        module(*inputs).sum().backward()

    def measure(name, step):
        report(name, step, given.repetitions, given.device)

    measure("training step", train)
    if given.device == "cuda":
        print(f"peak {torch.cuda.max_memory_reserved() / 2**20:.0f} MiB", flush=True)
    if given.step_only:
        return
    measure("forward", forward)
    measure("clipping and AdamW", update)
    measure("video encoder", lambda: part(clover.video, clips, region_mask))
    measure("text encoder", lambda: part(clover.text, ids, padding))
    video, text = clover.video(clips).detach(), clover.text(ids, padding).detach()
    video, text = video.requires_grad_(), text.requires_grad_()
    measure("fusion encoder", lambda: part(clover.fusion, video, text, padding))


if __name__ == "__main__":
    main()
