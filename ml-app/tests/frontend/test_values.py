"""What a value becomes that is typed or stands in a cell: the same value, or a reason why it is none."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from frontend import client
from frontend.exchange import RefusedError
from frontend.listed import Listed
from frontend.scoring import score
from frontend.signature import Description, Field, UnfitError, read
from frontend.table import read_table, rows_for
from frontend.views import common
from stand_ins import Answering, StandIn

Serve = Callable[[Answering], StandIn]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (Field("x", "whole", "INT64"), "9007199254740993", 9007199254740993),
        (Field("x", "whole", "INT64"), "-9223372036854775808", -9223372036854775808),
        (Field("x", "whole", "UINT64"), "18446744073709551615", 18446744073709551615),
        (Field("x", "whole", "INT64"), "9007199254740993.0", 9007199254740993),
        (Field("x", "whole", "INT64"), "1e3", 1000),
        (Field("x", "whole", "INT64"), "007", 7),
        (Field("x", "number"), "123456789012345678901234567890", 123456789012345678901234567890),
        (Field("x", "any"), "9007199254740993", 9007199254740993),
        (Field("x", "any"), "-0.5e1", -5.0),
        (Field("x", "any"), "0", 0),
        # A house number, a telephone number: JSON has no such numbers.
        (Field("x", "any"), "007", "007"),
        (Field("x", "any"), "+4930", "+4930"),
        (Field("x", "list", "INT64", (2,)), "[9007199254740993, -1]", [9007199254740993, -1]),
    ],
)
def test_number_goes_out_as_it_was_typed(field: Field, text: str, value: object) -> None:
    found = read(field, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        (Field("x", "whole", "INT64"), "9223372036854775808", "INT64 has -9,223,372,036,854,775,808 to 9,223"),
        (Field("x", "whole", "INT8"), "-129", "INT8 has -128 to 127"),
        (Field("x", "whole", "INT8"), "1e300", "INT8 has"),
        (Field("x", "whole", "UINT8"), "256", "UINT8 has 0 to 255"),
        (Field("x", "whole", "INT64"), "1e-999999999999999999999", "no whole number"),
        (Field("x", "whole", "INT64"), "9007199254740993.5", "no whole number"),
        (Field("x", "whole"), "9" * 400, "too large"),
        (Field("x", "number", "FP32"), "1e39", "FP32"),
        (Field("x", "number", "FP16"), "70000", "FP16"),
        (Field("x", "list", "UINT8", (2,)), "[1, 256]", "UINT8 has 0 to 255"),
        (Field("x", "list", "FP64", (2,)), "[NaN, 1]", "NaN"),
        (Field("x", "list", "FP64", (-1,)), "[-Infinity]", "Infinity"),
        (Field("x", "list", "FP64", (2,)), "[1e999, 1]", "too large"),
        (Field("x", "list", "FP64", (2,)), "[" * 1900, "no list in JSON"),
    ],
)
def test_number_that_the_datatype_does_not_have_is_refused(field: Field, text: str, reason: str) -> None:
    with pytest.raises(UnfitError, match=reason):
        read(field, text)


def test_row_with_a_number_that_json_has_not_is_refused_and_the_others_are_not(serve: Serve) -> None:
    fields = (Field("x", "list", "FP64", (2,)),)
    asked = rows_for(read_table(b'x;y\n"[NaN, 1]";1\n"[1, 2]";2\n'), Description(fields), "it")
    assert asked.values == {3: [[1, 2]]}
    assert "NaN" in asked.rejected[2]

    def answering(_: str, body: Any) -> tuple[int, Any]:
        count = body["inputs"][0]["shape"][0]
        return 200, {"outputs": [{"name": "y", "shape": [count], "datatype": "FP64", "data": [1] * count}]}

    model = Listed("m", "v2", serve(answering).address, "m")
    scored = score(lambda rows: client.predict(model, Description(fields), rows), {1: [[float("nan"), 1]], 2: [[1, 2]]})
    assert scored.answers == {2: [1]}
    assert "no number in JSON" in scored.rejected[1]
    with pytest.raises(RefusedError, match="no number in JSON"):
        client.predict(model, Description(), [[float("inf")]])


def test_answer_of_any_size_is_shown() -> None:
    large = json.loads("1" + "0" * 400)
    assert not common.is_number(large)
    frame = common.table_of([{"y": large}, {"y": 1}])
    assert frame["y"].tolist() == [str(large), "1"]
