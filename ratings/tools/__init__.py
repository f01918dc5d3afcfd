"""Tools on fits: leaderboards, bootstrap, rank robustness, anomalous voters, pair sampling and simulation."""
