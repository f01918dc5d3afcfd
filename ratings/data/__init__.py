"""Battles as checked columns of codes, and the pair counts of a set of battles."""
