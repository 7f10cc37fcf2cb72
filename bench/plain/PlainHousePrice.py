"""The article's way, as the bench's baseline: a class around scikit-learn, in seldon-core's own server."""

import numpy as np
import skops.io


class PlainHousePrice:
    """What a reader of the article writes."""

    def __init__(self, model_file: str) -> None:
        self.model = skops.io.load(model_file, trusted=["sklearn.tree._tree.Tree"])

    def predict(self, rows: np.ndarray, names: list[str] | None = None) -> np.ndarray:
        """Predict the price of each row."""
        return self.model.predict(rows)

    def metrics(self) -> list[dict[str, object]]:
        """The article's custom metrics."""
        return [
            {"type": "COUNTER", "key": "predictions", "value": 1},
            {"type": "GAUGE", "key": "last", "value": 100},
            {"type": "TIMER", "key": "time", "value": 20.2},
        ]
