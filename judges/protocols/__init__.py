"""One file a published protocol: how its verdicts are read and how they add up."""
