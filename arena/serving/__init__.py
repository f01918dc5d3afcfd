"""The models that this arena serves: model clients, availability, capabilities and weights."""
