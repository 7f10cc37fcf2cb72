"""Training of the house-price model: `python -m house_price.train --help`."""
