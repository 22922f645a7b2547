"""Times one Video Swin block on the CPU: the yardstick of `cargo bench -p clover-kernels`.

512 wide, 16 heads, MLP ratio 4, 8 windows of 392 tokens, f32, eager:

    python xtask/pytorch/swin_block.py [threads] [repetitions]
"""

import statistics
import sys
import time

import torch
from torch import nn

WINDOWS, TOKENS, WIDTH, HEADS = 8, 392, 512, 16


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.bias = nn.Parameter(torch.randn(HEADS, TOKENS, TOKENS) * 0.02)

    def attention(self, x, mask):
        windows, tokens, width = x.shape
        qkv = self.qkv(x).reshape(windows, tokens, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        scores = (q * (width // HEADS) ** -0.5) @ k.transpose(-2, -1)
        scores = scores + self.bias.unsqueeze(0)
        scores = scores + mask.unsqueeze(1)
        x = torch.softmax(scores, -1) @ v
        return self.proj(x.transpose(1, 2).reshape(windows, tokens, width))

    def forward(self, x, mask):
        x = x + self.attention(self.norm1(x), mask)
        return x + self.fc2(nn.functional.gelu(self.fc1(self.norm2(x))))


def report(name, step, repetitions):
    for _ in range(3):
        step()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(f"{name}: best {min(times):.1f} ms, median {statistics.median(times):.1f} ms", flush=True)


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    block = Block()
    x = torch.randn(WINDOWS, TOKENS, WIDTH, requires_grad=True)
    mask = torch.zeros(WINDOWS, TOKENS, TOKENS)
    mask[-1, : TOKENS // 2, TOKENS // 2 :] = -100.0
    mask[-1, TOKENS // 2 :, : TOKENS // 2] = -100.0

    def forward():
        with torch.no_grad():
            block(x, mask)

    def forward_backward():
        block.zero_grad()
        x.grad = None
        block(x, mask).sum().backward()

    report("block forward", forward, repetitions)
    report("block forward + backward", forward_backward, repetitions)
    hidden = torch.randn(WINDOWS, TOKENS, 4 * WIDTH)
    with torch.no_grad():
        report("gelu forward", lambda: nn.functional.gelu(hidden), repetitions)
        report("linear 512 -> 2048 forward", lambda: block.fc1(x), repetitions)
        report("attention forward", lambda: block.attention(x, mask), repetitions)
        logits, labels = torch.randn(256, 30522), torch.randint(30522, (256,))
        cross_entropy = nn.functional.cross_entropy
        report("cross entropy", lambda: cross_entropy(logits, labels, reduction="none"), repetitions)


if __name__ == "__main__":
    main()
