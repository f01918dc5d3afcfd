"""How well verdicts are read from odd replies of judges."""
