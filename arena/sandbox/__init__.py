"""Untrusted programs, run in namespaces of their own, with limits and without this machine's files or network."""

from arena.sandbox.run import Limits, Program, Run, Unisolated, check, run, run_all

__all__ = ["Limits", "Program", "Run", "Unisolated", "check", "run", "run_all"]
