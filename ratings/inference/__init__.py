"""Fits with covariances: intervals, ranks and the linear algebra behind them."""
