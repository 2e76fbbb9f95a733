"""QR codes, as SVG elements that stand in a page or an answer."""

import segno


def qr_svg(text: str, *, scale: int = 8, error: str = "m") -> str:
    """The QR code of `text`; a module has `scale` pixels. White behind it, or no camera reads it on a dark page."""
    made = segno.make_qr(text, error=error, encoding="utf-8")
    return str(made.svg_inline(scale=scale, border=4, light="white"))
