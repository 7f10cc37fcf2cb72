"""`python -m wine_quality_sklearn.train`."""

import sys

from modelkit.command import main
from wine_quality_sklearn.train.recipe import RECIPE

if __name__ == "__main__":
    sys.exit(main(RECIPE))
