"""The models that this arena serves: model clients, health, capabilities and weights."""
