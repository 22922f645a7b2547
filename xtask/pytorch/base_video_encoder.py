"""Times the forward pass of the base video encoder (Video Swin-B) on the CPU: the yardstick of
`cargo run --release -p clover-model --example base_forward`.

One clip of 8 frames of 224 px, f32, eager, torchvision's swin3d_b without its classifier:

    python xtask/pytorch/base_video_encoder.py [threads] [repetitions]
"""

import sys

import torch
from torch import nn
from torchvision.models.video import swin3d_b

from swin_block import report

FRAMES, SIZE = 8, 224


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    encoder = swin3d_b(weights=None).eval()
    encoder.head = nn.Identity()
    clip = torch.randn(1, 3, FRAMES, SIZE, SIZE)

    def forward():
        with torch.no_grad():
            encoder(clip)

    report("base video encoder forward", forward, repetitions)


if __name__ == "__main__":
    main()
