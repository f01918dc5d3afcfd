"""Published verdicts that tests recompute; without the folder a test is skipped."""

import json

from tests.support.published import published


def read(*path):
    return json.loads(published("judges", *path).read_text(encoding="utf-8"))


def read_lines(*path):
    lines = published("judges", *path).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]
