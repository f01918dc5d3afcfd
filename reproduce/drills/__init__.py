"""Misfortunes of a running arena, and what they cost: kills, restarts, outages of the database."""
