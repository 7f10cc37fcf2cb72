"""Shows what comes from elsewhere as it is: Streamlit takes most texts for Markdown."""

import math
import re

LONGEST = 300
"""Characters of a text that are shown."""

# Of a name as people see it, a screen reader gets this text as it is: no more than has a meaning is marked.
_MEANT = re.compile(r"[\\`*\[\]{}<>$~|!#&^=+]|(?<![^\W_])_|_(?![^\W_])|^[-.]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
# Streamlit looks for these when Markdown is read, and backslashes are gone: emoji, colours, icons, arrows, addresses.
_LATER = re.compile(r":(?=[\w+-]+[:/\[])|:(?=//)|\bwww(?=\.)|(?<=\S)(?=@)|(?<=[-<>=~])(?=[-<>=~])", re.IGNORECASE)
_JOINER = "\u2060"


def plain(text: object) -> str:
    """A text for where Streamlit takes Markdown, on one line, cut off where it is long."""
    line = " ".join(str(text).split())
    shown = line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
    return _MEANT.sub(r"\\\g<0>", _LATER.sub(rf"\g<0>{_JOINER}", shown))


def number(value: float) -> str:
    """A number for people: thousands apart, no more digits than say something."""
    size = abs(value)
    if not math.isfinite(value):
        return str(value)
    if float(value).is_integer() and size < 1e15:  # noqa: PLR2004
        return f"{int(value):,}"
    if 1e-3 <= size < 1e15:  # noqa: PLR2004
        return f"{value:,.2f}" if size >= 1000 else f"{value:.4g}"  # noqa: PLR2004
    return f"{value:.4g}"
