"""A battle from the voter's side: matchmaking, live turns, and what a voter may see."""
