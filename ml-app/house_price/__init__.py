"""The house-price model: its columns, its training, its serving."""
