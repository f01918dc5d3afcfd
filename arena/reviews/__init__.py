"""The review queue: disputed battles dealt to named reviewers, blind and one at a time, and how far they agree."""
