"""The public interface, version 1: what is here stays as it is; what changes will be version 2.

It imports nothing: error pages need `problems` before there are routes.
"""
