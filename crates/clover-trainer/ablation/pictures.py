"""What the five sentences of a finished `clover demo --data` find, as one picture.

    python crates/clover-trainer/ablation/pictures.py OUT.png RUN

RUN is the `--out` of the demo. A row is a sentence and the five clips found for it, best first, by the
middle frame of each; the clip that the sentence was written for is framed. Needs Pillow.
"""

import json
import pathlib
import sys
import textwrap

from PIL import Image, ImageDraw, ImageFont

SIDE, GAP, FRAME, WORDS, LINES = 104, 8, 3, 84, 2
PAPER, INK, OWN = (255, 255, 255), (30, 30, 30), (22, 140, 60)


def middle_frame(path):
    """Of a moving picture, or of a folder of pictures."""
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file())
        path = files[len(files) // 2]
    with Image.open(path) as image:
        image.seek(getattr(image, "n_frames", 1) // 2)
        frame = image.convert("RGBA")
    paper = Image.new("RGBA", frame.size, PAPER)
    paper.alpha_composite(frame)
    paper.thumbnail((SIDE, SIDE))
    return paper.convert("RGB")


def main():
    out, run = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    queries = json.loads((run / "report.json").read_text())["queries"]
    font = ImageFont.load_default(13)
    columns = max(len(query["results"]) for query in queries)
    text = 17 * LINES + 4
    row = text + SIDE + 2 * GAP
    sheet = Image.new("RGB", (columns * (SIDE + GAP) + GAP, len(queries) * row + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, query in enumerate(queries):
        top = GAP + number * row
        lines = textwrap.wrap(query["text"], WORDS, max_lines=LINES, placeholder=" ...")
        draw.multiline_text((GAP, top), "\n".join(lines), INK, font, spacing=3)
        for column, found in enumerate(query["results"]):
            frame = middle_frame(pathlib.Path(found["name"]))
            left, over = GAP + column * (SIDE + GAP), top + text
            sheet.paste(frame, (left + (SIDE - frame.width) // 2, over + (SIDE - frame.height) // 2))
            if found["correct"]:
                box = (left - FRAME, over - FRAME, left + SIDE + FRAME, over + SIDE + FRAME)
                draw.rectangle(box, outline=OWN, width=FRAME)
    sheet.quantize(128).save(out, optimize=True)


if __name__ == "__main__":
    main()
