"""Keeps Hypothesis quick and repeatable."""

from hypothesis import settings

settings.register_profile("ratings", max_examples=40, derandomize=True, deadline=None)
settings.load_profile("ratings")
