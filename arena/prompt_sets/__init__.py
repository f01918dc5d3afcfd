"""Prompt sets and the completions that models write for them."""
