"""Patterns over many battles: features, probes, concepts and token classes."""
