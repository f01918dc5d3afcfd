"""The Elo scale of ratings: rating = 1000 + xi * 400 / ln 10, with the log-strength xi in logits."""

import math

BASE = 10.0
SCALE = 400.0  # a 400-point lead means ten to one odds
CENTRE = 1000.0  # the mean rating of a component, and where the prior puts a newcomer
POINTS_PER_LOGIT = SCALE / math.log(BASE)  # rating points in one logit: 173.718
