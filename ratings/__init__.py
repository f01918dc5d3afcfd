"""Outcomes of battles in, ratings with intervals out. Knows numpy and scipy, and nothing of the arena."""
