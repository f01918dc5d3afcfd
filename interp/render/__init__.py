"""Explanations as self-contained HTML."""
