"""torch and transformers, or an error that says how to install them. Only modules that need weights come here."""

from __future__ import annotations

from interp.errors import MissingExtra

try:
    import torch
    import transformers
except ImportError as cause:
    raise MissingExtra(
        f"attribution from a model's weights needs torch and transformers: pip install 'arena[local]' ({cause})"
    ) from cause

__all__ = ["torch", "transformers"]
