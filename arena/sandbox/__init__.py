"""Programs that nobody has read are run here: in namespaces of their own, with limits, and never on this machine's
own files or network."""

from arena.sandbox.run import Limits, Run, Unisolated, check, run, run_all

__all__ = ["Limits", "Run", "Unisolated", "check", "run", "run_all"]
