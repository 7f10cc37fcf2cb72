"""The house-price model as a Seldon Core Python class: see `HousePrice`."""

from house_price.serve.model import HousePrice

__all__ = ["HousePrice"]
