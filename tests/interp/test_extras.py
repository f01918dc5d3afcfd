"""Without torch the error says what to install; what needs no torch works without it."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import interp
from interp import extras
from interp.errors import MissingExtra


def test_missing_torch_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    spec = importlib.util.spec_from_file_location("extras_without_torch", extras.__file__)
    with pytest.raises(MissingExtra, match=r"pip install 'arena\[local\]'"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.slow
def test_importing_interp_imports_no_torch():
    code = (
        "import sys, interp, interp.attribution, interp.evaluation.orders, interp.prompt; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_every_public_name_can_be_imported_from_interp():
    for name in interp.__all__:
        assert getattr(interp, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = interp.nonsense


def test_names_that_need_torch_are_typed_as_they_are_imported():
    """The imports under TYPE_CHECKING, which type checkers read, against the table that is used at run time."""
    typed = re.findall(
        r"^    from (interp\.whitebox\.\w+) import (\w+) as \2$", Path(interp.__file__).read_text(), re.M
    )
    assert {name: module for module, name in typed} == interp._NEEDS_TORCH
