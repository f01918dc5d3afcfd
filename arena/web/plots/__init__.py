"""Plots: `catalogue.py` lists them, `data.py` and `benchmark_data.py` compute rows, each other file draws one figure."""
