"""torch and transformers, or an error that says how to install them. Only modules that need weights import it."""

from __future__ import annotations

from interp.errors import MissingExtra

try:
    import torch
    import transformers
except ImportError as cause:
    raise MissingExtra(
        f"Attribution from a model's weights needs torch and transformers ({cause}). Run pip install 'arena[local]'."
    ) from cause

__all__ = ["torch", "transformers"]
