"""Documents that the letters lead to: one-page PDFs, written by hand so that nothing is needed."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.files.base import ContentFile
from wagtail.documents.models import Document

MAP = (
    "Where to find the lilies",
    "1  The wooden bridge: white lilies, open until four",
    "2  The eastern bank: pink ones, they wait for the sun",
    "3  The little basin: the night-flowering kind, in August",
)
PAGE = (
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 298] /Contents 5 0 R "
    "/Resources << /Font << /F1 4 0 R >> >> >>"
)


def make_document() -> Document:
    """Store the map of the pond among the site's documents."""
    document = Document(title="Map of the pond")
    document.file.save("map-of-the-pond.pdf", ContentFile(pdf(MAP)), save=False)
    document.save()
    return document


def pdf(lines: Sequence[str]) -> bytes:
    """Return a PDF of one page in landscape with *lines* on it, the first one in larger letters."""
    title, *rest = lines
    shown = [f"BT /F1 20 Tf 40 240 Td ({title}) Tj /F1 12 Tf"]
    shown += [f"0 -34 Td ({line}) Tj" for line in rest]
    content = "\n".join([*shown, "ET"])
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        PAGE,
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
    ]
    return _joined(objects)


def _joined(objects: Sequence[str]) -> bytes:
    """Number the objects and put the table behind them that says where each begins."""
    text, begins = "%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        begins.append(len(text))
        text += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{begin:010} 00000 n \n" for begin in begins)
    size = len(objects) + 1
    head = f"xref\n0 {size}\n0000000000 65535 f \n{table}"
    foot = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    return (text + head + foot).encode("ascii")
