"""Settings from `arena.toml`, `ARENA_*` variables and the command line, the later over the earlier.

Every mistake becomes a `ConfigError` that names the file, the key and the cure.
"""

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
from arena.config.reply_cache import EXPLANATION_REPLIES, reply_cache_path
from arena.config.tables import (
    BattleSettings,
    DatabaseSettings,
    LedgerSettings,
    LimitSettings,
    NameAliasSettings,
    Settings,
    WebSettings,
)

__all__ = [
    "EXPLANATION_REPLIES",
    "AnyModel",
    "BattleSettings",
    "DatabaseSettings",
    "FactSettings",
    "LedgerSettings",
    "LimitSettings",
    "LlamaCppSettings",
    "ModelSettings",
    "NameAliasSettings",
    "OpenAISettings",
    "PriceSettings",
    "RewardSettings",
    "ScriptedSettings",
    "Settings",
    "Strict",
    "TransformersSettings",
    "VllmSettings",
    "WebSettings",
    "api_key",
    "read_settings",
    "reply_cache_path",
]
