"""The digits model as a Seldon Core Python class: see `Digits`."""

from digits.serve.model import Digits

__all__ = ["Digits"]
