"""Settings from `arena.toml`, `ARENA_*` variables and the command line, the later over the earlier.

Every mistake becomes a `ConfigError` that names the file, the key and the cure.
"""

from arena.config.challenge import ChallengeSettings
from arena.config.endpoints import (
    AnyModel,
    FactSettings,
    LlamaCppSettings,
    ModelSettings,
    OpenAISettings,
    PriceSettings,
    RewardSettings,
    ScriptedSettings,
    Strict,
    TransformersSettings,
    VllmSettings,
)
from arena.config.loader import api_key, read_settings
from arena.config.moderation import ModerationSettings
from arena.config.reply_cache import EXPLANATION_REPLIES, reply_cache_path
from arena.config.sign_in import ReviewSettings, SignInSettings
from arena.config.tables import (
    AdminSettings,
    BattleSettings,
    DatabaseSettings,
    LedgerSettings,
    LimitSettings,
    NameAliasSettings,
    SamplingSettings,
    Settings,
    TrustSettings,
    WebSettings,
)

__all__ = [
    "EXPLANATION_REPLIES",
    "AdminSettings",
    "AnyModel",
    "BattleSettings",
    "ChallengeSettings",
    "DatabaseSettings",
    "FactSettings",
    "LedgerSettings",
    "LimitSettings",
    "LlamaCppSettings",
    "ModelSettings",
    "ModerationSettings",
    "NameAliasSettings",
    "OpenAISettings",
    "PriceSettings",
    "ReviewSettings",
    "RewardSettings",
    "SamplingSettings",
    "ScriptedSettings",
    "Settings",
    "SignInSettings",
    "Strict",
    "TransformersSettings",
    "TrustSettings",
    "VllmSettings",
    "WebSettings",
    "api_key",
    "read_settings",
    "reply_cache_path",
]
