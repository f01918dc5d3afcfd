"""Explanations of disagreements: value functions of judges, attributions and their documents."""
