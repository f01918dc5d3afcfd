"""Judge runs: which completions are compared, by whom and in which order; asked, kept, and reported."""
