"""How a lot is written, everywhere alike."""

from __future__ import annotations


def written_lot(lot: str) -> str:
    """As it is printed: capitals, no spaces, so that a recall finds it however it was typed."""
    return "".join(lot.split()).upper()
