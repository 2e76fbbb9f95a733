"""QR codes, as SVG elements that stand in a page or an answer, and as text for a terminal."""

import io

import segno


def qr_svg(text: str, *, scale: int | None = 8, error: str = "m") -> str:
    """The QR code of `text`. A module has `scale` pixels; with None the element takes any size.

    White behind it, or no camera reads it on a dark page.
    """
    made = segno.make_qr(text, error=error, encoding="utf-8")
    size = {"omitsize": True} if scale is None else {"scale": scale}
    return str(made.svg_inline(**size, border=4, light="white"))


def qr_text(text: str) -> str:
    """The QR code of `text` in half blocks, white on dark, as cameras read it from a dark terminal and a light one."""
    drawn = io.StringIO()
    segno.make_qr(text, error="l", encoding="utf-8").terminal(drawn, border=2, compact=True)
    return drawn.getvalue()
