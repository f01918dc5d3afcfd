"""Evaluation of attributions and of a judge's certainty."""
