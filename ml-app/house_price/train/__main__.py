"""`python -m house_price.train`."""

import sys

from house_price.train.recipe import RECIPE
from modelkit.command import main

if __name__ == "__main__":
    sys.exit(main(RECIPE))
