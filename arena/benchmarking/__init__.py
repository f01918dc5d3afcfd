"""Benchmark runs, load tests, contamination, and stored results: tasks selected, models called, replies scored and saved."""
