"""The pages, one in each module, which has a function `show`."""
