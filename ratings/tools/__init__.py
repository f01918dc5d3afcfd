"""Tools on fits: leaderboards, bootstrap, rank robustness, pair sampling, simulation, anomalous voters."""
