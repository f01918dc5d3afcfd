"""Whatever goes wrong inside an endpoint leaves it as one typed failure."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from arena.endpoints.endpoint import EndpointError, Failure

log = logging.getLogger(__name__)


@contextmanager
def typed_failures(place: str, masked: Callable[[str], str] = str) -> Iterator[None]:
    """A context that only `EndpointError` leaves; any other exception is logged and becomes `BROKEN`.

    `place` names the endpoint in the text of the error, and `masked` removes secrets from texts.
    """
    try:
        yield
    except EndpointError:
        raise
    except TimeoutError:
        raise EndpointError(Failure.TIMEOUT, masked(f"{place}: no complete reply in time")) from None
    # The outer edge of an endpoint: an error that nobody expected must still reach the caller as a failure.
    except Exception as error:  # noqa: BLE001
        log.error("%s: unexpected error\n%s", place, masked("".join(traceback.format_exception(error))))
        detail = masked(f"{place}: unexpected {type(error).__name__}: {error}")
        raise EndpointError(Failure.BROKEN, detail) from None
