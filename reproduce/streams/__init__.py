"""The three processes of `reproduce/load.py` beside the arena: models, a raw proxy, and voters."""
