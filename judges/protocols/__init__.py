"""One file a published scheme: how its verdicts are read and how they add up."""
