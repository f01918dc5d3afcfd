"""Hooks for what an operator checks: the visitors who begin battles, their prompts, and the models' completions."""
