"""The pages, one file for each address.

```
/                         battle.py            /leaderboard/fragility   rank_robustness.py
/battles, /battles/ID     battles.py           /leaderboard/moved       rating_change.py
/benchmarks, …/N          benchmarks.py        /models/NAME             models.py
/explain/ID               explain.py           /plots/…                 plots.py
/leaderboard              leaderboard.py       /reading/…               reading.py (styles and scripts)
```

Handlers translate: words of an address in, one use case called, HTML out.
"""
