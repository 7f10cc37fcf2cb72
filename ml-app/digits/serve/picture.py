"""Makes the pixels that the model takes of a picture: PNG or JPEG, of any size, dark on light or light on dark."""

from __future__ import annotations

import threading
import warnings
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from digits.features import INK, SIDE
from modelserver.errors import BadRequest

FORMATS = ("PNG", "JPEG")

MAX_SIDE = 2048
"""Pixels of a side; a picture of so many in both, with colours and transparency, takes 70 MB while it is read."""

MAX_SCANS = 32
"""Of a JPEG. Each goes over all pixels, and a few bytes are enough for one; a progressive one of a camera has ten."""

ENOUGH = 256
"""Pixels of a side that tell as much of a digit as more would; a larger picture is brought down to about that."""

JPEGS = ("JPEG", "MPO")
"""As Pillow calls a JPEG file of one picture, and of several."""

SCAN = b"\xff\xda"
"""Where a scan of a JPEG begins. Among its pixels these bytes cannot stand."""

LEAST_CONTRAST = 0.1
"""From the lightest to the darkest pixel, as a share of black to white; below that nothing is written there."""

_one_at_a_time = threading.Lock()
"""Pictures of many requests at once would need the memory of all of them."""

# A picture that was cut off is refused, not filled up with grey.
ImageFile.LOAD_TRUNCATED_IMAGES = False


def pixels(content: bytes) -> npt.NDArray[np.float64]:
    """The pixels of a picture, as the model takes them.

    Args:
        content: a PNG or JPEG file. Colours, transparency (on white paper), CMYK, 16 bits and the rotation that a
            camera notes are understood. Of several pictures in a JPEG the first is taken.

    Returns:
        float64 array of shape (1, 64), from 0 (paper) to `INK`: the picture made square, brought to 8 x 8, and its
        contrast stretched. What its border mostly is, is paper.

    Raises:
        BadRequest: it is no such picture, is animated, too large or too small, has too many scans, is cut off, or shows
            nothing.
    """
    with _one_at_a_time:
        grey = _grey(content)
    low, high = float(grey.min()), float(grey.max())
    if high - low < LEAST_CONTRAST:
        raise BadRequest("the picture shows nothing: it is of one colour")
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    ink = (grey - low) / (high - low)
    if np.median(border) > (low + high) / 2:
        ink = 1 - ink
    small = _shrunk(_square(ink))
    scaled: npt.NDArray[np.float64] = small / small.max() * INK
    return scaled.reshape(1, SIDE * SIDE)


def _grey(content: bytes) -> npt.NDArray[np.float64]:
    """The brightness of each pixel, from 0 to 1, shape (height, width)."""
    try:
        with warnings.catch_warnings():
            # Its own bound for decompression bombs is far above ours, which is checked before anything is unpacked.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=FORMATS) as picture:
                _check(picture, content)
                picture.load()
                return _brightness(ImageOps.exif_transpose(picture))
    except BadRequest:
        raise
    except UnidentifiedImageError as error:
        raise BadRequest(f"that is no picture in one of the formats {' and '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise BadRequest(f"the picture is too large: at most {MAX_SIDE} x {MAX_SIDE} pixels") from error
    except Exception as error:  # Pillow raises whatever the damaged part leads to
        raise BadRequest(f"the picture cannot be read: {error}") from error


def _check(picture: Image.Image, content: bytes) -> None:
    """Refuse by what can be seen of the file before its pixels are unpacked."""
    width, height = picture.size
    if max(width, height) > MAX_SIDE:
        raise BadRequest(f"the picture is too large: {width} x {height} pixels, at most {MAX_SIDE} x {MAX_SIDE}")
    if min(width, height) < SIDE:
        raise BadRequest(f"the picture is too small: {width} x {height} pixels, at least {SIDE} x {SIDE}")
    if picture.format in JPEGS:
        # Of several pictures the first is taken: the others are smaller ones of the same, or from another angle.
        if (scans := content.count(SCAN)) > MAX_SCANS:
            raise BadRequest(f"the picture has {scans} scans, at most {MAX_SCANS}")
    elif getattr(picture, "n_frames", 1) > 1:
        raise BadRequest("the picture is animated: send one that stands still")


def _brightness(picture: Image.Image) -> npt.NDArray[np.float64]:
    if picture.mode.startswith("I"):
        # 16 bits of grey, which Pillow would cut off at 255.
        return np.asarray(picture, dtype=np.float64) / 65535
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    grey = picture.convert("L")
    return np.asarray(grey.reduce(max(1, min(grey.size) // ENOUGH)), dtype=np.float64) / 255


def _square(ink: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """With paper on both sides of the shorter side, so that nothing is stretched."""
    height, width = ink.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    return np.pad(ink, ((top, side - height - top), (left, side - width - left)))


def _shrunk(ink: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each of 8 x 8 pixels the mean of its part."""
    small = Image.fromarray(ink.astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64)
