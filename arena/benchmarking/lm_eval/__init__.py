"""YAML tasks of lm-evaluation-harness: read, checked, and run as tasks of this arena with the same results by sample."""
