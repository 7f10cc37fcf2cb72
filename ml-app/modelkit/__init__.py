"""What every model of the platform shares: data sets, the registry, parity between training and serving."""
