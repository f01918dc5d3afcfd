"""Battles as checked columns, and the pair counts of a set of battles."""
