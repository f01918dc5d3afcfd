"""Requests of inspect_ai as bodies of chat completions, and chat completions as its outputs. Needs inspect_ai."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ContentImage,
    ContentReasoning,
    ContentText,
    Logprob,
    Logprobs,
    ModelOutput,
    ModelUsage,
    TopLogprob,
)
from inspect_ai.tool import ToolCall, ToolFunction

from arena.endpoints.endpoint import Reply
from arena.endpoints.thinking import thought
from judges.thinking import end_of_thinking

# fields of inspect's `GenerateConfig`, and what a chat completion calls them
PARAMETERS = {
    "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop_seqs": "stop",
    "seed": "seed", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
    "logit_bias": "logit_bias", "num_choices": "n", "logprobs": "logprobs", "top_logprobs": "top_logprobs",
    "reasoning_effort": "reasoning_effort",
}  # fmt: skip
STOP_REASONS = {
    "stop": "stop", "length": "max_tokens", "tool_calls": "tool_calls", "function_call": "tool_calls",
    "content_filter": "content_filter",
}  # fmt: skip


class UnsupportedContent(Exception):
    """A message has a part that no chat completion of ours can carry."""


def request_body(messages: Sequence[Any], tools: Sequence[Any], tool_choice: Any, config: Any) -> dict[str, Any]:
    """The body of a chat completion, without `model`. Raises `UnsupportedContent`."""
    body: dict[str, Any] = {"messages": [_message(message) for message in messages]}
    for name, sent in PARAMETERS.items():
        if (value := getattr(config, name, None)) is not None:
            body[sent] = {str(key): bias for key, bias in value.items()} if name == "logit_bias" else value
    if (schema := config.response_schema) is not None:
        described = schema.model_dump(mode="json", exclude_none=True)
        described["schema"] = described.pop("json_schema")
        body["response_format"] = {"type": "json_schema", "json_schema": described}
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
        body["tool_choice"] = _choice(tool_choice)
        if config.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = config.parallel_tool_calls
    return {**body, **(config.extra_body or {})}


def _message(message: Any) -> dict[str, Any]:
    if message.role == "tool":
        text = f"Error: {message.error.message}" if message.error else message.text
        return {"role": "tool", "content": text, "tool_call_id": str(message.tool_call_id)}
    if message.role == "assistant":
        calls = [_sent_call(call) for call in message.tool_calls or ()]
        content = message.text or (None if calls else "")
        return {"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {})}
    if isinstance(message.content, str):
        return {"role": message.role, "content": message.content}
    return {"role": message.role, "content": [_part(part) for part in message.content]}


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, ContentText):
        return {"type": "text", "text": part.text}
    if isinstance(part, ContentImage):
        return {"type": "image_url", "image_url": {"url": part.image}}
    raise UnsupportedContent(f"A message has a part of type {part.type!r}. Only texts and images can be sent.")


def _sent_call(call: Any) -> dict[str, Any]:
    function = {"name": call.function, "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    return {"id": call.id, "type": "function", "function": function}


def _tool(tool: Any) -> dict[str, Any]:
    described = tool.model_dump(mode="json", exclude_none=True, include={"name", "description", "parameters"})
    return {"type": "function", "function": described}


def _choice(choice: Any) -> Any:
    if isinstance(choice, ToolFunction):
        return {"type": "function", "function": {"name": choice.name}}
    return "required" if choice == "any" else choice


def model_output(model: str, reply: Reply, usage: tuple[int, int]) -> Any:
    """The reply as inspect's `ModelOutput`; `usage` is its (prompt, completion) tokens."""
    choices = [
        ChatCompletionChoice(
            message=_assistant(model, choice["message"]),
            stop_reason=STOP_REASONS.get(choice.get("finish_reason") or "stop", "unknown"),
            logprobs=_logprobs(choice.get("logprobs")),
        )
        for choice in reply["choices"]
    ]
    tokens = ModelUsage(input_tokens=usage[0], output_tokens=usage[1], total_tokens=sum(usage))
    return ModelOutput(model=model, choices=choices, usage=tokens)


def _assistant(model: str, message: Mapping[str, Any]) -> Any:
    """The message with its thinking apart from its text."""
    written = message.get("content") or message.get("refusal") or ""
    end = end_of_thinking(written)
    inline, text = (written, "") if end is None else (written[:end], written[end:].lstrip() if end else written)
    thinking = thought(message.get("reasoning_content")) or thought(message.get("reasoning")) or inline.strip()
    content = [ContentReasoning(reasoning=thinking), ContentText(text=text)] if thinking else text
    calls = [_tool_call(call) for call in message.get("tool_calls") or ()]
    return ChatMessageAssistant(content=content, tool_calls=calls or None, model=model, source="generate")


def _tool_call(call: Mapping[str, Any]) -> Any:
    """The call; arguments that are no JSON object are the model's mistake, which inspect tells it."""
    function = call.get("function") or {}
    written = function.get("arguments") or "{}"
    arguments, problem = written, None
    try:
        arguments = json.loads(written) if isinstance(written, str) else written
        if not isinstance(arguments, dict):
            raise ValueError("no JSON object")
    except (ValueError, RecursionError) as error:
        arguments, problem = {}, f"The arguments of {function.get('name')} cannot be read ({error}): {written}"
    return ToolCall(
        id=str(call.get("id") or function.get("name")),
        function=str(function.get("name")),
        arguments=arguments,
        parse_error=problem,
    )


def _logprobs(logprobs: Mapping[str, Any] | None) -> Any:
    if not logprobs or logprobs.get("content") is None:
        return None
    return Logprobs(
        content=[
            Logprob(
                token=token["token"],
                logprob=token["logprob"],
                top_logprobs=[
                    TopLogprob(token=other["token"], logprob=other["logprob"])
                    for other in token.get("top_logprobs") or ()
                ],
            )
            for token in logprobs["content"]
        ]
    )
