"""Fits with covariances, intervals and ranks, and the linear algebra that they need."""
