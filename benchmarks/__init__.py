"""Static benchmarks: tasks, samples, metrics and reports, no calls."""
