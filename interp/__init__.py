"""Which tokens drove a model, and whether that explanation is faithful."""
