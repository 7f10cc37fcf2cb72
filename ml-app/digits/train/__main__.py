"""`python -m digits.train`."""

import sys

from digits.train.recipe import RECIPE
from modelkit.command import main

if __name__ == "__main__":
    sys.exit(main(RECIPE))
