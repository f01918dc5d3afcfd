"""Attacks on a running arena: what an anonymous visitor, a hostile model server or a flood can try.

Each module holds attacks of one kind, listed in `reproduce.attacks.__main__`. An attack is a function that takes the
target and returns an `Outcome`: how many tries it made, and how many got through.
"""
