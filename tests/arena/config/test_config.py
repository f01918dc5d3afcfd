from pathlib import Path

import pytest

from arena.config import OpenAISettings, Settings, api_key, read_settings
from arena.errors import ConfigError

MODEL = '[[models]]\nname = "a"\nendpoint = "openai"\nurl = "http://127.0.0.1:1/v1"\n'


@pytest.fixture
def read(tmp_path: Path):
    def read_text(text: str):
        (tmp_path / "arena.toml").write_text(text, encoding="utf-8")
        return read_settings(tmp_path / "arena.toml")

    return read_text


def problem(read, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


def test_a_model_keeps_its_settings(read):
    (model,) = read(MODEL + "weight = 2.5\n").models
    assert isinstance(model, OpenAISettings)
    assert (model.name, model.url, model.weight) == ("a", "http://127.0.0.1:1/v1", 2.5)


def test_no_file_gives_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_settings().database_url == "sqlite:///arena.db"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[web]\nprot = 1", "arena.toml: web.prot: unknown key. Did you mean 'port'?"),
        ("databse_url = 'x'", "arena.toml: databse_url: unknown key. Did you mean 'database_url'?"),
        ("colour = 1", f"The keys are: {', '.join(sorted(Settings.model_fields))}"),
        (MODEL + "wieght = 1", "models[1].wieght: unknown key. Did you mean 'weight'?"),
        (MODEL + "api_key = 'secret'", "name it in `api_key_env`"),
        (MODEL.replace("url", "# url"), "models[1].url: is missing. Add a line `url = …`"),
        (MODEL.replace("http:", "ftp:"), "models[1].url: must begin with http:// or https://"),
        (MODEL + MODEL, "models: two models are called 'a'. Give each its own name"),
        (MODEL + MODEL.replace('"a"', '"A"'), "two models are called 'A'"),
        (MODEL.replace('"a"', '" a"'), "models[1].name: has spaces around it"),
        (MODEL.replace("openai", "opnai"), "models[1].endpoint: 'opnai' is unknown. Use one of: openai,"),
        (MODEL.replace("endpoint", "# endpoint"), "models[1].endpoint: is missing. Use one of: openai,"),
        (MODEL + "weight = -1", "models[1].weight: Input should be greater than or equal to 0 (got -1)"),
        (MODEL + "weight = inf", "models[1].weight: must be a finite number"),
        ('[[models]]\nname = "a"\nendpoint = "llama_cpp"', "needs exactly one of path"),
        ("[web]\ntrusted_proxies = ['*']", "web.trusted_proxies: '*' is not an address or a network"),
        ("[web]\nallowed_hosts = ['https://a.example']", "'https://a.example' is not a name without port"),
        ("[web]\npublic_url = 'arena.example'", "web.public_url: String should match"),
        ("[web]\ncookie_key_env = 'k3y-with-dashes'", "(got a hidden text, which may be a key)"),
        ("[limits]\ncalls_per_minute = 1", "must be 0 or at least 2, because a turn has two calls"),
        ("[limits]\nusd_per_day = inf", "limits.usd_per_day: Input should be a finite number"),
        ("[limits]\nusd_a_day = 1", "limits.usd_a_day: unknown key. Did you mean 'usd_per_day'?"),
        ("[web\nport = 1", "arena.toml: is not valid TOML"),
        (MODEL.replace("127.0.0.1:1", ""), "models[1].url: must be an address such as http://127.0.0.1:8000/v1"),
        (MODEL.replace(":1/", ":port/"), "models[1].url: must be an address"),
        (MODEL.replace("127.0.0.1:1", "[::1:1"), "models[1].url: must be an address"),
        (MODEL.replace("[[models]]", "[models]"), "arena.toml: models: is not a list. Write a table [[models]]"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_cure(read, text, expected):
    assert expected in problem(read, text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        read_settings(tmp_path / "nowhere.toml")


def test_a_folder_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_settings(tmp_path)


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "arena.toml").write_bytes("title = 'café'".encode("latin-1"))
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        read_settings(tmp_path / "arena.toml")


def test_the_environment_goes_over_the_file_and_the_command_line_over_both(tmp_path, monkeypatch):
    (tmp_path / "arena.toml").write_text("[web]\nport = 1\n")
    monkeypatch.setenv("ARENA_WEB__PORT", "2")
    assert read_settings(tmp_path / "arena.toml").web.port == 2
    assert read_settings(tmp_path / "arena.toml", {"web.port": 3}).web.port == 3


def test_a_key_comes_from_the_environment_alone(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "secret")
    assert api_key("SOME_KEY") == "secret"
    assert api_key(None) is None
    monkeypatch.delenv("SOME_KEY")
    with pytest.raises(ConfigError, match=r"SOME_KEY is not set\. Run: export SOME_KEY="):
        api_key("SOME_KEY")


FACTS = """
[[models]]
name = "one"
endpoint = "scripted"
[models.facts]
organisation = "Someone"
parameters = "8B"
released = 2024-10-31
"""


def test_facts_about_a_model_are_read(read):
    facts = read(FACTS).models[0].facts
    assert (facts.organisation, facts.parameters, str(facts.released)) == ("Someone", 8e9, "2024-10-31")
    assert facts.licence is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('parameters = "big"', 'facts.parameters: must be a number of parameters, such as 135000000, "135M"'),
        ('url = "ftp://x"', "facts.url: must begin with http"),
        ('license = "MIT"', "Did you mean 'licence'?"),
        ("context = 0", "facts.context"),
    ],
)
def test_a_wrong_fact_is_named(read, line, said):
    assert said in problem(read, FACTS.replace('parameters = "8B"', line))


def test_a_key_in_the_place_of_a_variables_name_is_not_told(read):
    message = problem(read, MODEL + 'api_key_env = "sk-live-123"')
    assert "models[1].api_key_env: must be the name of an environment variable" in message
    assert "sk-live-123" not in message


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ARENA_WEB", "port 1", "the environment variable ARENA_WEB: is not valid JSON"),
        ("ARENA_MODELS", "[{]", "the environment variable ARENA_MODELS: is not valid JSON"),
        ("ARENA_WEB__PORT", "abc", "the environment variable ARENA_WEB__PORT: web.port: Input should be"),
        (
            "ARENA_WBE__PORT",
            "1",
            "the environment variable ARENA_WBE__PORT: unknown table. Did you mean ARENA_WEB__…?",
        ),
        (
            "ARENA_XYZ__PORT",
            "1",
            f"tables are: {', '.join(name for name in Settings.model_fields if name != 'database_url')}.",
        ),
    ],
)
def test_a_wrong_variable_is_named(tmp_path, monkeypatch, variable, value, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert said in str(caught.value)


@pytest.mark.parametrize("key", ["sk-\u043a\u043b\u044e\u0447", "\u2026", "sk-a\nb"])
def test_a_key_that_no_header_can_hold_is_reported_without_it(monkeypatch, key):
    monkeypatch.setenv("EXAMPLE_KEY", key)
    with pytest.raises(
        ConfigError, match="EXAMPLE_KEY holds a line break or a character that no key has"
    ) as caught:
        api_key("EXAMPLE_KEY")
    assert key not in str(caught.value)
