"""The checks that the settings ask for, as battles call them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from arena.config import ModerationSettings, Settings, api_key
from arena.endpoints.openai import OpenAI
from arena.errors import ConfigError
from arena.moderation.classifier import Classifier, check_installed
from arena.moderation.moderations_endpoint import ModerationsEndpoint
from arena.moderation.text_checker import TextChecker
from arena.moderation.text_checks import TextChecks
from arena.moderation.third_parties import ThirdPartyChallenges
from arena.moderation.visitor_checks import Challenges, EveryoneAdmitted, PassCheck, VisitorCheck
from arena.moderation.work_challenges import WorkChallenges
from arena.store import Database


async def _nothing() -> None:
    """Without checks there is nothing to do."""


@dataclass(frozen=True)
class Checks:
    """The checks of an arena; by default none, at no cost."""

    visitors: VisitorCheck = field(default_factory=EveryoneAdmitted)
    texts: TextChecks | None = None
    open: Callable[[], Awaitable[None]] = _nothing  # loads weights
    forget: Callable[[], Awaitable[None]] = _nothing  # deletes what has expired
    close: Callable[[], Awaitable[None]] = _nothing


def checks_of(settings: Settings, database: Database, key: bytes, loaded: Callable[[], bool]) -> Checks:
    """The checks of the settings. `key` signs challenges. Raises `ConfigError` for what is missing here."""
    texts = text_checks(settings.moderation)
    opens, closes = (texts.checker.start, texts.checker.close) if texts else (_nothing, _nothing)
    if not settings.challenge.on:
        return Checks(texts=texts, open=opens, close=closes)
    challenges = _challenges(settings, database, key, loaded)
    visitors = PassCheck(database, settings.challenge, challenges)

    async def close() -> None:
        await challenges.close()
        await closes()

    return Checks(visitors, texts, opens, visitors.forget, close)


def text_checks(settings: ModerationSettings) -> TextChecks | None:
    """The checks of texts, None without a backend. Raises `ConfigError` for a key, an extra or weights that are missing."""
    if not settings.on:
        return None
    return TextChecks(_checker(settings), settings)


def _checker(settings: ModerationSettings) -> TextChecker:
    if settings.backend == "transformers":
        source = settings.source or ""
        check_installed(source)
        return Classifier(source, settings.device, settings.threads, settings.max_batch, settings.timeout)
    key = api_key(settings.api_key_env)
    endpoint = OpenAI(
        settings.url, settings.model, key, settings.timeout, settings.timeout, settings.retries, first_pause=0.2
    )
    return ModerationsEndpoint(endpoint, settings.timeout)


def _challenges(settings: Settings, database: Database, key: bytes, loaded: Callable[[], bool]) -> Challenges:
    challenge = settings.challenge
    if not challenge.third_party:
        return WorkChallenges(database, challenge, key, loaded)
    secret = api_key(challenge.secret_env)
    if secret is None:
        raise ConfigError("challenge.secret_env is missing. Name the environment variable with the secret.")
    return ThirdPartyChallenges(challenge, secret)
