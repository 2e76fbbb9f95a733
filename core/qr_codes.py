"""QR codes, as SVG elements that stand in a page or an answer."""

import segno


def qr_svg(text: str, *, scale: int | None = 8, error: str = "m") -> str:
    """The QR code of `text`. A module has `scale` pixels; with None the element takes any size.

    White behind it, or no camera reads it on a dark page.
    """
    made = segno.make_qr(text, error=error, encoding="utf-8")
    size = {"omitsize": True} if scale is None else {"scale": scale}
    return str(made.svg_inline(**size, border=4, light="white"))
