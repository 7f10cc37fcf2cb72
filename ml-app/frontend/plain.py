"""Shows what comes from elsewhere as it is: Streamlit takes most texts for Markdown."""

import math
import re
import string

LONGEST = 300
"""Characters of a text that are shown."""

_PUNCTUATION = re.compile(f"([{re.escape(string.punctuation)}])")
# Streamlit looks for these after Markdown is read, where a backslash has gone: emoji, icons and arrows.
_LATER = re.compile(r"(:)(?=[\w+-]+[:/\[])|(?<=[-<>=~])(?=[-<>=~])")
_JOINER = "\u2060"


def plain(text: object) -> str:
    """A text for where Streamlit takes Markdown, on one line, cut off where it is long."""
    line = " ".join(str(text).split())
    shown = line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
    return _PUNCTUATION.sub(r"\\\1", _LATER.sub(lambda found: (found[1] or "") + _JOINER, shown))


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
