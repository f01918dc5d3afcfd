"""Everything the arena has, as files that others read, and the proof that its numbers follow from them."""
