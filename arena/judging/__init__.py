"""Judge runs: which completions are compared, by which judge and in which order; called, published and reported."""
