"""The Jinja2 templates of explanations, which escape every text."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from interp.texts import gettext

_environment = Environment(
    loader=PackageLoader("interp.render"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["number"] = format
_environment.globals["_"] = gettext


def rendered(template: str, **values: Any) -> Markup:
    """The template with the values filled in, safe to stand in another template."""
    return Markup(_environment.get_template(template).render(values))  # noqa: S704  (the templates escape)
