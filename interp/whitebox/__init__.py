"""Attribution of models whose weights are available."""
