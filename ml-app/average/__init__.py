"""Averages what several models answer."""
