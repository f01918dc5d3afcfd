"""Where models answer: OpenAI-compatible servers, llama.cpp, transformers, and a scripted fake."""

from arena.endpoints.endpoint import (
    Completion,
    Endpoint,
    EndpointError,
    Failure,
    Finish,
    Probe,
    Request,
    Usage,
    complete,
)

__all__ = [
    "Completion",
    "Endpoint",
    "EndpointError",
    "Failure",
    "Finish",
    "Probe",
    "Request",
    "Usage",
    "complete",
]
