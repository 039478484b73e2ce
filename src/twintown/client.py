"""`Twin("https://…" or path)`: the layers of a twin as GeoDataFrame, xarray and Arrow."""
