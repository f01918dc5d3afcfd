"""Leaderboards from stored votes: boards of today and of past days, rating changes, robustness."""
