"""What to ask a judge and what its reply means: prompts and parsers, no calls."""
