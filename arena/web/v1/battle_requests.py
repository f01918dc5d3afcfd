"""Bodies of the requests of the battle API. Unknown members are errors, so that a misspelt one is noticed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr, StringConstraints

MOST_MODELS, MOST_IMAGES, MOST_REASONS = 2, 16, 16
MAX_ANSWER = 8_000  # characters; the longest tokens of CAPTCHAs have about 3,000
MAX_TEXT = 1_000_000  # characters; the setting `battles.max_prompt_characters` is checked with words for the voter


def _text(value: Any) -> Any:
    """A string without lone surrogates, which JSON can have and UTF-8 cannot; other values unchanged."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


Text = Annotated[StrictStr, BeforeValidator(_text), StringConstraints(max_length=MAX_TEXT)]
Name = Annotated[StrictStr, BeforeValidator(_text), StringConstraints(min_length=1, max_length=200)]
Id = Annotated[StrictStr, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
SideOf = Literal["a", "b"]
Images = Annotated[tuple[Id, ...], Field(max_length=MOST_IMAGES, description="ids of POST /api/v1/images")]


class Body(BaseModel):
    """Strict: no member is converted to its type."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Begin(Body):
    """The first prompt of a battle."""

    prompt: Text = ""
    mode: Literal["blind", "chosen", "single"] = "blind"
    models: Annotated[tuple[Name, ...], Field(max_length=MOST_MODELS)] = ()
    images: Images = ()
    again: Id | None = Field(default=None, description="a battle of yours: its first prompt, two other models")
    answer: Annotated[Text, StringConstraints(max_length=MAX_ANSWER)] | None = Field(
        default=None, description="to the challenge of a problem with status 428"
    )


class Prompt(Body):
    """A further or changed prompt."""

    prompt: Text
    images: Images = ()


class EditedPrompt(Body):
    prompt: Text


class OneSide(Body):
    side: SideOf


class AnySide(Body):
    side: SideOf | None = Field(default=None, description="absent: both")


class Ballot(Body):
    """A vote. `final` counts it at once."""

    winner: Literal["model_a", "model_b", "tie", "both_bad"]
    reasons: Annotated[tuple[Name, ...], Field(max_length=MOST_REASONS)] | None = None
    final: StrictBool = False


class Appealed(Body):
    """Why the vote should count, in the voter's words."""

    text: Text = ""


class Sharing(Body):
    shared: StrictBool


class Report(Body):
    """What is wrong with a completion."""

    kind: Literal["illegal", "personal", "hateful", "broken", "other"]
    text: Annotated[Text, StringConstraints(max_length=2_000)] = ""
