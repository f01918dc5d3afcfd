"""Without torch the error says what to install; what needs no torch works without it."""

import importlib.util
import subprocess
import sys

import pytest

from interp import extras
from interp.errors import MissingExtra


def test_missing_torch_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    spec = importlib.util.spec_from_file_location("extras_without_torch", extras.__file__)
    with pytest.raises(MissingExtra, match=r"pip install 'arena\[local\]'"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_prompts_and_attributions_need_no_torch():
    code = (
        "import sys, interp.attribution, interp.evaluation.orders, interp.prompt; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
