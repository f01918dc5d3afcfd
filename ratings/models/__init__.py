"""Rating models: Bradley–Terry, models with ties, position, covariates and judges, and Elo."""
