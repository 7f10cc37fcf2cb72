"""A picture of a digit is answered right, whatever kind of picture it is, or refused with a reason."""

from __future__ import annotations

import base64
import copy
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import requests
import skops.io
from PIL import Image
from seldon_core.proto import prediction_pb2
from sklearn.linear_model import LogisticRegression

from digits import features
from digits.serve.picture import MAX_SCANS, MAX_SIDE, SCAN
from digits.stored import read_logistic
from model_folder import write_stored
from model_process import ModelProcess
from modelkit.skopsparts import StoredFileError
from test_rest_refusals import assert_refused

SAMPLE = Path(features.__file__).with_name("sample.csv")
MAX_MEMORY_MIB = 512

Pixels = npt.NDArray[np.float64]


@pytest.fixture(scope="session")
def drawn() -> tuple[Pixels, npt.NDArray[np.int64]]:
    """The pictures of the sample, shape (1797, 64), and what they show."""
    table = np.loadtxt(SAMPLE, delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1].astype(int)


@pytest.fixture(scope="session")
def model(drawn: tuple[Pixels, npt.NDArray[np.int64]]) -> LogisticRegression:
    """A model as training makes it."""
    return LogisticRegression(C=0.01, max_iter=1000).fit(*drawn)


@pytest.fixture(scope="session")
def digits(
    model: LogisticRegression,
    drawn: tuple[Pixels, npt.NDArray[np.int64]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ModelProcess]:
    """A server of that model."""
    folder, rows = tmp_path_factory.mktemp("digits"), drawn[0][:5]
    write_stored(folder, model, features.FEATURES, rows, model.predict_proba(rows))
    log = tmp_path_factory.mktemp("server") / "log"
    process = ModelProcess(["-m", "modelserver", "digits.serve.Digits"], log, {"model_dir": str(folder)})
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.stop()


def picture(pixels: Pixels, size: tuple[int, int] = (80, 80)) -> Image.Image:
    """Black ink on white paper."""
    paper = 255 - (pixels.reshape(8, 8) * (255 / features.INK)).round()
    return Image.fromarray(paper.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)


def saved(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    content = BytesIO()
    image.save(content, kind, **how)
    return content.getvalue()


def answer(response: requests.Response) -> npt.NDArray[np.float64]:
    """The probabilities of the one picture."""
    assert response.status_code == 200, response.text
    data = response.json()["data"]
    assert data["names"] == [str(digit) for digit in features.CLASSES]
    return np.array(data["tensor"]["values"] if "tensor" in data else data["ndarray"]).reshape(10)


def show(digits: ModelProcess, content: bytes) -> requests.Response:
    return digits.post({"binData": base64.b64encode(content).decode()})


def transparent(image: Image.Image) -> Image.Image:
    """Black ink on nothing."""
    made = Image.new("RGBA", image.size, "black")
    made.putalpha(image.point(lambda value: 255 - value))
    return made


def deep(image: Image.Image) -> Image.Image:
    """With 16 bits for each pixel."""
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)


def turned(image: Image.Image) -> bytes:
    """Lying on its side, as a camera that was held so stores it, with a note of that."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)


def scans(image: Image.Image, number: int) -> bytes:
    """A progressive JPEG whose last scan is repeated until there are so many."""
    content = saved(image, "JPEG", progressive=True)
    begin = content.rfind(SCAN)
    return content[:-2] + content[begin:-2] * (number - content.count(SCAN)) + content[-2:]


KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "PNG, grey": saved,
    "PNG, colours": lambda image: saved(image.convert("RGB")),
    "PNG, palette": lambda image: saved(image.convert("P")),
    "PNG, black and white": lambda image: saved(image.convert("1", dither=Image.Dither.NONE)),
    "PNG, transparent": lambda image: saved(transparent(image)),
    "PNG, 16 bits": lambda image: saved(deep(image)),
    "PNG, light on dark": lambda image: saved(image.point(lambda value: 255 - value)),
    "PNG, pale": lambda image: saved(image.point(lambda value: 150 + value // 3)),
    "JPEG, grey": lambda image: saved(image, "JPEG", quality=90),
    "JPEG, CMYK": lambda image: saved(image.convert("CMYK"), "JPEG", quality=90),
    "JPEG, turned by the camera": turned,
    "JPEG, of as many scans as may be": lambda image: scans(image, MAX_SCANS),
    "PNG, with bytes of scans": lambda image: saved(image)[:-12] + chunk(b"noTe", SCAN * 99) + saved(image)[-12:],
    "JPEG, two pictures": lambda image: saved(image, "MPO", save_all=True, append_images=[image.rotate(90)]),
    "as large as may be": lambda image: saved(image.resize((MAX_SIDE, MAX_SIDE)).convert("RGBA")),
    "as small as may be": lambda image: saved(image.resize((8, 8), Image.Resampling.BOX)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(
    kind: str, digits: ModelProcess, model: LogisticRegression, drawn: tuple[Pixels, npt.NDArray[np.int64]]
) -> None:
    for pixels, digit in zip(*(part[10:14] for part in drawn), strict=True):
        found = answer(show(digits, KINDS[kind](picture(pixels))))
        assert found.argmax() == digit
        if kind == "PNG, grey":
            expected = model.predict_proba(pixels.reshape(1, 64) * features.INK / pixels.max())[0]
            assert found == pytest.approx(expected, abs=0.01)


def test_a_picture_beside_its_pixels(digits: ModelProcess, drawn: tuple[Pixels, npt.NDArray[np.int64]]) -> None:
    rows = drawn[0][:100]
    told = digits.post({"data": {"ndarray": rows.tolist()}}).json()["data"]["ndarray"]
    shown = [answer(show(digits, saved(picture(pixels, (100, 100))))).argmax() for pixels in rows]
    assert np.mean(np.argmax(told, axis=1) == shown) > 0.9


def test_ways_to_send_one(digits: ModelProcess, drawn: tuple[Pixels, npt.NDArray[np.int64]]) -> None:
    content = saved(picture(drawn[0][0]))
    encoded = base64.b64encode(content).decode()
    expected = answer(show(digits, content))
    texts = (encoded, f"data:image/png;base64,{encoded}", re.sub("(.{76})", "\\1\n", encoded))
    ways = [digits.post({"strData": text}) for text in texts]
    ways += [
        requests.post(f"{digits.url}/predict", files={"binData": ("a.png", content)}, timeout=30),
        requests.post(f"{digits.url}/predict", data={"json": json.dumps({"strData": encoded})}, timeout=30),
    ]
    for response in ways:
        assert answer(response) == pytest.approx(expected)
    called = digits.call("Model", "Predict", prediction_pb2.SeldonMessage(binData=content))
    assert list(called.data.tensor.values) == pytest.approx(expected)
    assert called.meta.tags["model_name"].string_value == "digits"
    assert digits.samples()["digits_predictions_total"] > 0


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG file of colours, as large as its head says."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """A text of 200 MB beside a small picture, packed into 200 kB."""
    return png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000))))


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "that is no picture"),
    "a text": (lambda: b"seven", "that is no picture in one of the formats PNG and JPEG"),
    "a GIF": (lambda: saved(Image.new("L", (80, 80)), "GIF"), "that is no picture in one of"),
    "a PNG that is cut off": (lambda: saved(Image.effect_noise((80, 80), 90))[:2000], "the picture cannot be read"),
    "a JPEG that is cut off": (
        lambda: saved(Image.effect_noise((80, 80), 90), "JPEG")[:1500],
        "the picture cannot be read",
    ),
    "an animation": (
        lambda: saved(Image.new("L", (80, 80)), save_all=True, append_images=[Image.new("L", (80, 80), 255)]),
        "the picture is animated",
    ),
    "20,000 scans": (lambda: scans(Image.new("RGB", (2048, 2048)), 20_000), "the picture has 20000 scans, at most 32"),
    "1 x 1": (lambda: saved(Image.new("L", (1, 1))), "the picture is too small: 1 x 1 pixels, at least 8 x 8"),
    "20,000 x 20,000": (lambda: png(20_000, 20_000), "the picture is too large"),
    "2049 x 8": (lambda: png(MAX_SIDE + 1, 8), f"the picture is too large: 2049 x 8 pixels, at most {MAX_SIDE} x"),
    "white paper": (lambda: saved(Image.new("L", (80, 80), 255)), "the picture shows nothing: it is of one colour"),
    "a text that unpacks to 200 MB": (bomb, "the picture cannot be read"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str, digits: ModelProcess) -> None:
    make, reason = REFUSED[what]
    if content := make():
        assert_refused(show(digits, content), reason)
    else:
        assert_refused(digits.post({"strData": ""}), reason)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"strData": "no base64!"}, "strData is no base64"),
        ({"jsonData": {"a": 1}}, "this model takes a picture (binData, strData) or rows of pixels (data)"),
        ({"data": {"ndarray": [[1.0] * 63]}}, "each row needs 64 numbers"),
        ({"data": {"ndarray": [[0] * 63 + [255]]}}, "row 0, column 63 is 255: a pixel is from 0 (paper) to 16 (ink)"),
        ({"data": {"ndarray": [[-1] + [0] * 63]}}, "row 0, column 0 is -1: a pixel is from 0"),
    ],
)
def test_refused_messages(message: dict[str, Any], reason: str, digits: ModelProcess) -> None:
    assert_refused(digits.post(message), reason)


def test_memory_is_bounded(digits: ModelProcess) -> None:
    """Large pictures of many clients at once."""
    large = saved(Image.new("RGBA", (MAX_SIDE, MAX_SIDE), "white"), compress_level=1)
    with ThreadPoolExecutor(8) as clients:
        for response in clients.map(lambda _: show(digits, large), range(24)):
            assert_refused(response, "the picture shows nothing")
    status = Path(f"/proc/{digits.pid}/status")
    if status.exists():
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert peak is not None
        assert int(peak[1]) / 1024 < MAX_MEMORY_MIB


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("coef_", np.zeros((10, 63)), "holds a model that does not tell 10 digits by 64 pixels"),
        ("coef_", np.zeros((10, 64), np.complex128), "holds a model that does not tell 10 digits by 64 pixels"),
        ("intercept_", np.zeros(10, np.float16), "holds a model that does not tell 10 digits by 64 pixels"),
        ("classes_", np.arange(1, 11), "holds a model that does not tell 10 digits by 64 pixels"),
        ("coef_", np.full((10, 64), np.nan), "is damaged or forged: a weight is no finite number"),
        ("coef_", [1.0], "is not a readable skops file"),
    ],
)
def test_forged_weights(model: LogisticRegression, tmp_path: Path, part: str, value: object, reason: str) -> None:
    forged = copy.deepcopy(model)
    setattr(forged, part, value)
    skops.io.dump(forged, tmp_path / "model.skops")
    with pytest.raises(StoredFileError, match=reason):
        read_logistic(tmp_path / "model.skops")


def test_stored_model_answers_as_the_fitted_one(
    model: LogisticRegression, drawn: tuple[Pixels, npt.NDArray[np.int64]], tmp_path: Path
) -> None:
    skops.io.dump(model, tmp_path / "model.skops")
    stored = read_logistic(tmp_path / "model.skops")
    np.testing.assert_allclose(stored.predict_proba(drawn[0]), model.predict_proba(drawn[0]), rtol=1e-12, atol=1e-15)
