"""Draws a page of the comparison with reportlab.

Tuned: the faces are cut to the batch beforehand and parsed once; the font of
the last line and the colour of the last fill are not set again; a QR code is
one path; page compression is on, as in the other peers' files.
"""

import io
import os

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

A4 = (595.28, 841.89)


def register_faces(folder):
    for face in ("regular", "bold"):
        pdfmetrics.registerFont(TTFont(face, os.path.join(folder, face + ".ttf")))


def draw(page):
    """Returns a PDF file of one page."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1, initialFontName="regular")
    for path in page["paths"]:
        canvas.setFillColorRGB(*path["colour"])
        shape = canvas.beginPath()
        for area in path["areas"]:
            shape.rect(*area)
        canvas.drawPath(shape, stroke=0, fill=1)
    draw_lines(canvas, page["lines"])
    for link in page["links"]:
        x, y, width, height = link["area"]
        canvas.linkURL(link["address"], (x, y, x + width, y + height))
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def draw_lines(canvas, lines):
    text = canvas.beginText()
    face = colour = None
    for line in lines:
        if face != (line["face"], line["size"]):
            face = (line["face"], line["size"])
            text.setFont(*face)
        if colour != line["colour"]:
            colour = line["colour"]
            text.setFillColorRGB(*colour)
        text.setTextOrigin(line["x"], line["y"])
        text.textOut(line["text"])
    canvas.drawText(text)
