"""The peer reportlab: draw.py FOLDER OUT. worker.go says what it is asked."""

import json
import os
import sys
import time

import peerpage


def main(folder, out):
    with open(os.path.join(folder, "pages.json"), encoding="utf-8") as file:
        pages = json.load(file)
    peerpage.register_faces(folder)
    print("ready", flush=True)
    files = []
    for order in sys.stdin:
        begun = time.perf_counter()
        if order.strip() == "draw":
            files = [peerpage.draw(page) for page in pages]
        else:
            write(out, files)
        print(time.perf_counter() - begun, flush=True)


def write(out, files):
    for i, data in enumerate(files):
        with open(os.path.join(out, f"{i}.pdf"), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
