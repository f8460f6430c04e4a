"""Colours: Okabe–Ito for marks, darker or lighter variants of them for text, neutral greys for everything else.

Marks keep a contrast of 3:1 or more against both backgrounds, text 4.5:1; a test measures it.
"""

from __future__ import annotations

from dataclasses import dataclass

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", "Helvetica Neue", Arial, sans-serif'

LIGHT_BACKGROUND = "#ffffff"
DARK_BACKGROUND = "#171819"


@dataclass(frozen=True)
class Palette:
    """The colours of one theme.

    Attributes
    ----------
    marks : one colour a group, for lines and bars; there is no fifth, more groups become facets.
    words : the same hues for text.
    ink, muted, grid, context : text, secondary text, grid lines, and curves that are only a backdrop.
    surface : background of hover boxes.
    """

    marks: tuple[str, ...]
    words: tuple[str, ...]
    ink: str
    muted: str
    grid: str
    context: str
    surface: str


LIGHT = Palette(marks=("#0072B2", "#D55E00", "#009E73", "#CC79A7"), words=("#0072B2", "#B34F00", "#00775A", "#A2477B"),
                ink="#1f2428", muted="#5c636b", grid="#e6e8eb", context="#c3c8ce", surface="#ffffff")
DARK = Palette(marks=("#2B8FCB", "#E0701A", "#12A97F", "#CC79A7"), words=("#63B3E6", "#F08A3C", "#33C79B", "#DC97BC"),
               ink="#e8eaec", muted="#a3a9af", grid="#2f3337", context="#565c62", surface="#232628")


def palette_for(dark: bool) -> Palette:
    """The palette of the dark or the light theme."""
    return DARK if dark else LIGHT


def faded(colour: str, opacity: float) -> str:
    """A hexadecimal colour with an opacity, as rgba()."""
    red, green, blue = (int(colour[start:start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two hexadecimal colours."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start:start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
