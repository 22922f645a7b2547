"""Clips per second, one thread: this project beside PyAV and decord, in one run.

    pip install av decord numpy
    cargo build --release -p clover-cli -p clover-data --bins --examples
    python3 crates/clover-data/benches/decode_peers.py [PROGRAM ...]

Draws a folder of 640x360 H.264 videos with the `ffmpeg` program (x264's defaults; groups of 250 and of
50 pictures), then lets every reader turn each of them into a normalised [3, 8, 224, 224] clip: eight
frames from the middle of equal stretches, shorter side to 224, the middle 224 x 224. Each PROGRAM is
a build of the example `clips_per_second` (by default the one in `target/release/examples`). The last
row reads shards that `target/release/clover pack --frames 8` made of the videos. Rounds alternate; the
best of each is printed, and its ratio to the faster of the two peers.
"""

import glob
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

ROUNDS = 5
FRAMES = 250
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
DEVIATION = np.array([57.375, 57.12, 57.375], np.float32)
# 640 x 360 with a shorter side of 224, and the left edge of its middle.
WIDTH, HEIGHT, LEFT = 398, 224, 87


def draw(folder):
    for group in (250, 50):
        for scene in range(4):
            source = [
                "-f", "lavfi", "-i", f"mandelbrot=size=640x360:rate=25:start_scale={scene + 1}",
                "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25",
                "-filter_complex", f"[0][1]blend=all_opacity={0.3 + 0.1 * scene:.1f}",
            ]
            video = os.path.join(folder, f"group-{group}-{scene}.mp4")
            coding = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", str(group)]
            subprocess.run(
                ["ffmpeg", "-loglevel", "error", *source, "-frames:v", str(FRAMES), *coding, video],
                check=True,
            )


def middles(total, frames=8):
    stretch = total / frames
    return [int(place * stretch + stretch / 2) for place in range(frames)]


def normalised(frames):
    pixels = np.stack(frames).astype(np.float32)[..., ::-1]
    return np.ascontiguousarray(((pixels - MEAN) / DEVIATION).transpose(3, 0, 1, 2))


def read_with_pyav(path):
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        wanted, frames = set(middles(stream.frames)), []
        for index, frame in enumerate(container.decode(stream)):
            if index in wanted:
                small = frame.reformat(WIDTH, HEIGHT, "rgb24", interpolation="BILINEAR")
                frames.append(small.to_ndarray()[:, LEFT : LEFT + 224])
            if len(frames) == len(wanted):
                break
    return normalised(frames)


def read_with_decord(path):
    import decord

    reader = decord.VideoReader(path, width=WIDTH, height=HEIGHT, num_threads=1)
    frames = reader.get_batch(middles(len(reader))).asnumpy()
    return normalised(list(frames[:, :, LEFT : LEFT + 224]))


def peer(read):
    def rate(folder):
        files = sorted(glob.glob(os.path.join(folder, "*.mp4")))
        started = time.perf_counter()
        for path in files:
            assert read(path).shape == (3, 8, 224, 224)
        return len(files) / (time.perf_counter() - started)

    return rate


def pack(folder):
    shards, pairs = os.path.join(folder, "shards"), os.path.join(folder, "pairs.csv")
    with open(pairs, "w") as rows:
        rows.write("path,caption\n")
        rows.writelines(f"{path},a video\n" for path in sorted(glob.glob(os.path.join(folder, "*.mp4"))))
    command = ["target/release/clover", "pack", pairs, "--out", shards, "--frames", "8"]
    subprocess.run(command, check=True, capture_output=True)


def ours(program, below=""):
    def rate(folder):
        folder = os.path.join(folder, below)
        output = subprocess.run([program, folder], check=True, capture_output=True, text=True)
        return float(output.stdout.split(":")[1].split()[0])

    return rate


def main():
    default = "target/release/examples/clips_per_second"
    readers = {"PyAV": peer(read_with_pyav), "decord": peer(read_with_decord)}
    peers = list(readers)
    for program in sys.argv[1:] or [default]:
        readers[program] = ours(program)
    readers["shards of 8 stored frames"] = ours(default, "shards")
    best = dict.fromkeys(readers, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        draw(folder)
        pack(folder)
        for _ in range(ROUNDS):
            for name, rate in readers.items():
                best[name] = max(best[name], rate(folder))
    fastest = max(best[name] for name in peers)
    for name, rate in best.items():
        print(f"{name}: {rate:.1f} clips/s, {rate / fastest:.2f} of the faster peer")


if __name__ == "__main__":
    main()
