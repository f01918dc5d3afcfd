"""Published judge boards recomputed from stored verdicts."""
