"""Bodies of Gradio's events, validated as the types that their components have.

Gradio takes any JSON as the data of an event, and a dictionary in place of a string as the name of a file to read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import GenericAlias
from typing import Annotated, Any, Literal

import gradio as gr
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationError,
    create_model,
)

MAX_TEXT = 1_000_000  # characters of a text whose component has no `max_length`; the body is limited as well


class BadEvent(Exception):
    """An event that is not run. The text says what is wrong with its body."""


class UnknownEvent(BadEvent):
    """The page has no event with this number."""


def _text(value: Any) -> Any:
    """A string without lone surrogates, which UTF-8 cannot encode; empty for None, which a field sends before it is
    used; other values unchanged.
    """
    if value is None:
        return ""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


Text = Annotated[StrictStr, BeforeValidator(_text)]
Id = Annotated[StrictStr, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,64}$")]


class Envelope(BaseModel):
    """The part of a body that is the same for every event. Other keys are dropped."""

    model_config = ConfigDict(extra="ignore")

    fn_index: StrictInt
    session_hash: Annotated[Id, StringConstraints(min_length=1)]
    event_data: None = None  # details of a click or selection; no event of the page has any


class EventBodies:
    """A model for each event of `pages`. Raises `TypeError` for a component that has no type here."""

    def __init__(self, pages: gr.Blocks) -> None:
        self.models: Mapping[int, type[Envelope]] = {
            number: _model(number, function) for number, function in pages.fns.items() if function.fn is not None
        }

    def checked(self, body: bytes) -> Envelope:
        """The event of a body. Raises `BadEvent`."""
        try:
            parsed = json.loads(body)
            number = Envelope.model_validate(parsed).fn_index
            if number not in self.models:
                raise UnknownEvent(f"The page has no event {number}. Reload the page.")
            return self.models[number].model_validate(parsed)
        except ValidationError as error:
            raise BadEvent(_description(error)) from None
        except (ValueError, RecursionError):  # not JSON, not UTF-8, a number of 5,000 digits, nested too deeply
            raise BadEvent("The body is not valid JSON. Reload the page.") from None


def _model(number: int, function: Any) -> type[Envelope]:
    """The model of one event: one value for each input, and the component that triggered it."""
    if function.component_prop_inputs:
        raise TypeError(f"Event {number} takes a component as input. Take its value.")
    data: Any = GenericAlias(tuple, tuple(map(value_type, function.inputs)))  # such as tuple[str, bool]
    triggers = tuple(component for component, _ in function.targets if component is not None)
    trigger: Any = Literal[triggers] if triggers else None
    return create_model(f"Event{number}", __base__=Envelope, data=(data, ...), trigger_id=(trigger | None, None))


def value_type(component: Any) -> Any:
    """The type of the values that a component sends, by its class, exactly: a subclass may send others."""
    if type(component) is gr.Checkbox:
        return StrictBool
    if type(component) is gr.Textbox and component.visible == "hidden":
        return Annotated[Id, BeforeValidator(_text)]  # holds an id; nobody types in it
    if type(component) is gr.Textbox:
        return Annotated[Text, StringConstraints(max_length=component.max_length or MAX_TEXT)]
    raise TypeError(
        f"{type(component).__name__} has no type for its values. Add one to `value_type` before it is an input."
    )


def _description(error: ValidationError) -> str:
    """The first problem, without the value, which may be long or a secret."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"])) or "body"
    return f"{place}: {first['msg']}. Reload the page."
