"""Kinds of control battles. Their votes are stored, sealed and published as all others, and count on no board."""

from __future__ import annotations

from enum import StrEnum


class Control(StrEnum):
    """What a control battle shows."""

    SAME_MODEL = "same_model"  # two completions of one model
    SWAPPED = "swapped"  # the completions of an earlier battle, with the sides exchanged
