"""Fakes, fixtures and small models that the tests of several rooms share."""
