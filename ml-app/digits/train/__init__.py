"""Training of the digits model: `python -m digits.train --help`."""
