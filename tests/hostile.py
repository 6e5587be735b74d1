"""In: a folder. Out: files that a reader must survive, each with the outcomes it may have. Knows nothing of the reader.

Written as raw bytes where a PDF library would refuse to; `cases(folder)` makes all of them (about 3 MB).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from reportlab.pdfgen import canvas

CATALOG = "<</Type/Catalog/Pages 2 0 R>>"
PAGES = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
HELVETICA = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
HELLO = "BT /F 12 Tf 50 700 Td (Hello there) Tj ET"
PASSWORD = "pässwörd"


@dataclass(frozen=True, slots=True)
class Case:
    """`codes`: the message codes that are right for this file; `pages`: how many of them are read."""

    name: str
    path: Path
    codes: tuple[str, ...]
    pages: int = 0


def pdf(objects: Sequence[str | bytes], root: str = CATALOG, trailer: str = "") -> bytes:
    """A PDF of these objects; object 1 is the catalog, `objects` start at 2."""
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate([root, *objects], 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + (body.encode("latin-1") if isinstance(body, str) else body) + b"\nendobj\n"
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n" % (len(offsets) + 1)
    tail = f"trailer\n<</Size {len(offsets) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + head + table + tail.encode()


def stream(data: str | bytes, entries: str = "") -> bytes:
    body = data.encode("latin-1") if isinstance(data, str) else data
    return f"<<{entries}/Length {len(body)}>>\nstream\n".encode() + body + b"\nendstream"


def squeezed(data: bytes, times: int) -> bytes:
    """A deflated stream of `data` repeated: one flushed block, written again and again. Its checksum is wrong."""
    packer = zlib.compressobj(9)
    first = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (times - 1) + packer.flush()


def page(resources: str = "/Font<</F 5 0 R>>", more: str = "/MediaBox[0 0 600 800]", contents: str = "4 0 R") -> str:
    return f"<</Type/Page/Parent 2 0 R/Contents {contents}/Resources<<{resources}>>{more}>>"


def form(content: str, resources: str = "") -> bytes:
    return stream(content, f"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<<{resources}>>")


def good(pages: int = 3) -> bytes:
    out = io.BytesIO()
    drawing = canvas.Canvas(out)
    for number in range(1, pages + 1):
        drawing.drawString(72, 700, f"Page {number} of an ordinary file.")
        drawing.showPage()
    drawing.save()
    return out.getvalue()


def long(pages: int) -> bytes:
    """Many pages, each with its number."""
    kids = " ".join(f"{2 * number + 4} 0 R" for number in range(pages))
    objects: list[str | bytes] = [f"<</Type/Pages/Kids[{kids}]/Count {pages}>>", HELVETICA]
    for number in range(pages):
        objects.append(page("/Font<</F 3 0 R>>", contents=f"{2 * number + 5} 0 R"))
        objects.append(stream(f"BT /F 12 Tf 50 700 Td (This is page {number + 1}) Tj ET"))
    return pdf(objects)


def locked(user: str, owner: str, pages: int = 3) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(long(pages))) as file:
        file.save(out, encryption=pikepdf.Encryption(user=user, owner=owner, R=6))
    return out.getvalue()


def simple(content: str | bytes = HELLO, **options: str) -> bytes:
    return pdf([PAGES, page(**options), stream(content), HELVETICA])


def image_only() -> bytes:
    picture = stream(
        bytes(100), "/Type/XObject/Subtype/Image/Width 10/Height 10/ColorSpace/DeviceGray/BitsPerComponent 8"
    )
    return pdf([PAGES, page("/XObject<</I 5 0 R>>"), stream("q 600 0 0 800 0 0 cm /I Do Q"), picture])


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.txt", "a" * 100)
    return out.getvalue()


def inflating(layers: int = 2) -> bytes:
    """3 GB of spaces in about 5 KB."""
    data = squeezed(b" " * (1 << 20), 3000)
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    return simple_filtered(data, "/FlateDecode" * layers)


def simple_filtered(data: bytes, filters: str) -> bytes:
    return pdf([PAGES, page(), stream(data, f"/Filter[{filters}]"), HELVETICA])


def nested_forms(levels: int = 12) -> bytes:
    """Ten times ten times ten … forms in 3 KB."""
    again = "/X Do " * 10
    inner = [form(again, f"/XObject<</X {number + 6} 0 R>>") for number in range(levels)]
    return pdf([PAGES, page("/XObject<</X 5 0 R>>"), stream(again), *inner, form("BT ET")])


def own_form() -> bytes:
    """A form that draws itself fifty times: 900 bytes that make PDFium abort on memory."""
    return pdf(
        [PAGES, page("/XObject<</X 5 0 R>>"), stream("/X Do " * 10), form("/X Do " * 50, "/XObject<</X 5 0 R>>")]
    )


def slow_pages(pages: int = 400) -> bytes:
    """Every page takes seconds: they share one stream of 60 MB of graphics states, squeezed into 60 KB."""
    kids = " ".join(f"{number + 5} 0 R" for number in range(pages))
    slow = stream(squeezed(b"1 0 0 1 0 0 cm " * 10_000, 400), "/Filter/FlateDecode")
    sheet = page(contents="3 0 R", resources="/Font<</F 4 0 R>>")
    return pdf([f"<</Type/Pages/Kids[{kids}]/Count {pages}>>", slow, HELVETICA, *[sheet] * pages])


def one_endless_page() -> bytes:
    """Three pages; the second one takes minutes and little memory: it draws a slow form a hundred times."""
    calm = page(contents="3 0 R", resources="/Font<</F 4 0 R>>")
    endless = page(contents="8 0 R", resources="/XObject<</X 9 0 R>>")
    kind = "/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Filter/FlateDecode"
    slow = stream(squeezed(b"1 0 0 1 0 0 cm " * 10_000, 400), kind)
    pages = "<</Type/Pages/Kids[5 0 R 6 0 R 7 0 R]/Count 3>>"
    return pdf([pages, stream(HELLO), HELVETICA, calm, endless, calm, stream("/X Do " * 100), slow])


def many_fonts(count: int = 3000) -> bytes:
    names = "".join(f"/F{number} {number + 5} 0 R" for number in range(count))
    text = "BT 50 700 Td " + "".join(f"/F{number} 9 Tf (a) Tj " for number in range(count)) + "ET"
    return pdf([PAGES, page(f"/Font<<{names}>>"), stream(text), *[HELVETICA] * count])


def one_bad_page() -> bytes:
    """Five pages; the third is not there."""
    sheets = [page(contents="3 0 R", resources="/Font<</F 4 0 R>>")] * 5
    kids = "5 0 R 6 0 R 99 0 R 8 0 R 9 0 R"
    return pdf([f"<</Type/Pages/Kids[{kids}]/Count 5>>", stream(HELLO), HELVETICA, *sheets])


def one_deadly_page() -> bytes:
    """Five pages; the third one draws the form that draws itself."""
    calm = page(contents="3 0 R", resources="/Font<</F 4 0 R>>")
    deadly = page(contents="10 0 R", resources="/XObject<</X 11 0 R>>")
    kids = "5 0 R 6 0 R 7 0 R 8 0 R 9 0 R"
    bomb = form("/X Do " * 50, "/XObject<</X 11 0 R>>")
    sheets = [calm, calm, deadly, calm, calm]
    return pdf(
        [f"<</Type/Pages/Kids[{kids}]/Count 5>>", stream(HELLO), HELVETICA, *sheets, stream("/X Do " * 10), bomb]
    )


def many_words() -> bytes:
    """Three million words on one page."""
    return simple_filtered(squeezed(b"BT /F 12 Tf 50 700 Td (Hello) Tj ET " * 1000, 3000), "/FlateDecode")


def announcing(pages: int) -> bytes:
    """One page, said to be many."""
    return pdf([PAGES.replace("1>>", f"{pages}>>"), page(), stream(HELLO), HELVETICA])


def page_cycle() -> bytes:
    return pdf(["<</Type/Pages/Kids[3 0 R]/Count 5>>", "<</Type/Pages/Kids[2 0 R 3 0 R]/Count 5/Parent 2 0 R>>"])


def actions(marker: str) -> bytes:
    """Launches and scripts on opening; a reader that runs one of them leaves the file `marker`."""
    launch = f"<</S/Launch/F({marker})/Unix<</F(touch)/P({marker})>>/Next 7 0 R>>"
    script = f"<</S/JavaScript/JS(app.launchURL('file://{marker}'); while(true){{}})>>"
    root = CATALOG[:-2] + "/OpenAction 6 0 R/AA<</WC 7 0 R>>/Names<</JavaScript<</Names[(a)7 0 R]>>>>>>"
    sheet = page(more="/MediaBox[0 0 600 800]/AA<</O 6 0 R>>")
    return pdf([PAGES, sheet, stream(HELLO), HELVETICA, launch, script], root=root)


def endless_reference() -> bytes:
    """The xref's /Prev points at itself, and /Contents at an array that holds itself."""
    whole = pdf([PAGES, page(contents="6 0 R"), stream(HELLO), HELVETICA, "[6 0 R 4 0 R]"])
    start = whole.index(b"xref\n0")
    return whole.replace(b"/Root 1 0 R>>", b"/Root 1 0 R/Prev %d>>" % start)


def cases(folder: Path) -> list[Case]:
    """Write every file and say what may become of it."""
    nest = 50_000
    whole = good(30)
    made: list[tuple[str, bytes | Callable[[], bytes], tuple[str, ...], int]] = [
        ("empty", b"", ("empty",), 0),
        ("one-byte", b"%", ("not_a_pdf",), 0),
        ("header-only", b"%PDF-1.7\n", ("damaged",), 0),
        ("garbage", b"%PDF-1.7\n" + bytes(range(256)) * 400, ("damaged",), 0),
        ("truncated", whole[: len(whole) // 2], ("ready", "partial_damaged", "damaged"), -1),
        ("locked", locked("secret", "owner"), ("password",), 0),
        ("locked-owner-only", locked("", "owner"), ("ready",), 3),
        ("image-only", image_only(), ("no_text",), 1),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(500), ("not_a_pdf",), 0),
        ("archive.zip", archive(), ("not_a_pdf",), 0),
        ("page.html", b"<!DOCTYPE html><p>Please log in to download the PDF.", ("not_a_pdf",), 0),
        ("5000-pages", long(5000), ("ready",), 5000),
        ("too-many-pages", long(10_001), ("too_many_pages",), 0),
        ("inflating", inflating, ("memory", "crashed", "timed_out"), 0),
        ("nested-forms", nested_forms, ("memory", "crashed", "timed_out"), 0),
        ("own-form", own_form, ("memory", "crashed", "timed_out"), 0),
        ("slow-pages", slow_pages, ("timed_out",), -1),
        ("page-cycle", page_cycle, ("damaged",), 0),
        ("million-announced", announcing(900_000), ("ready", "too_many_pages"), -1),
        ("5000-announced", announcing(5000), ("partial_damaged",), 1),
        ("huge-page", simple(more="/MediaBox[0 0 1e9 1e9]"), ("ready", "no_text"), 1),
        ("odd-box", simple(more="/MediaBox[600 800 0 0]/CropBox[9e9 9e9 -5 nan]/Rotate 77"), ("ready", "no_text"), 1),
        ("no-xref", simple().replace(b"xref", b"yref").replace(b"startyref", b"startxref"), ("ready", "damaged"), -1),
        ("one-bad-page", one_bad_page(), ("partial_damaged",), 4),
        ("one-deadly-page", one_deadly_page(), ("partial_memory", "partial_damaged"), 4),
        ("one-endless-page", one_endless_page(), ("partial_slow",), 2),
        ("many-fonts", many_fonts(), ("ready",), 1),
        ("endless-reference", endless_reference(), ("ready", "no_text", "damaged"), -1),
        ("nested-arrays", simple("[" * nest + "]" * nest + HELLO), ("ready", "no_text"), 1),
        ("nested-objects", simple(more="/MediaBox[0 0 99 999]/Z " + "[" * nest + "]" * nest), ("ready", "damaged"), -1),
        ("many-filters", simple_filtered(b"x", "/ASCIIHexDecode" * nest), ("no_text", "damaged"), -1),
        ("many-words", many_words, ("memory", "crashed", "timed_out", "damaged"), 0),
        ("actions", actions(str(folder / "it-ran")), ("ready",), 1),
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name, data, codes, pages in made:
        path = folder / f"{name}.pdf"
        path.write_bytes(data if isinstance(data, bytes) else data())
        found.append(Case(name, path, codes, pages))
    return found
