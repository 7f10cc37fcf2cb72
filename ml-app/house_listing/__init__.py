"""Makes what the house-price model takes of houses as they are advertised."""
