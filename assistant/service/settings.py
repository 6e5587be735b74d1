"""In: environment (prefix AFINA_) and `.env` in the working folder. Out: one frozen Settings, checked, paths absolute.

`app.py` makes it once and hands it on; nothing else reads the environment. Making it touches no disk but `.env`.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from platformdirs import user_cache_path, user_data_path
from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from assistant.errors import ForOperator

if TYPE_CHECKING:
    from assistant.agent.limits import Limits

AbsolutePath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
Key = SecretStr | None


class _OurLines(DotEnvSettingsSource):
    """`.env` may serve other programs too: of lines that are not ours, only a misspelt AFINA_ one is an error."""

    def __call__(self) -> dict[str, Any]:
        ours = {name.lower() for name in self.settings_cls.model_fields}
        return {
            name: value
            for name, value in super().__call__().items()
            if name.lower() in ours
            or name.upper().startswith(("AFINA_", "OPENAI_API_KEY", "HF_TOKEN", "GOOGLE_API_KEY", "OLLAMA_HOST"))
        }


class Settings(BaseSettings):
    """Every knob, its unit and its default. A key is never printed: `repr` shows stars."""

    model_config = SettingsConfigDict(
        env_prefix="AFINA_",
        env_file=".env",
        env_ignore_empty=True,
        extra="forbid",  # a misspelt AFINA_ line in .env is named, not ignored
        frozen=True,
        populate_by_name=True,
    )

    home: AbsolutePath = Field(default_factory=lambda: user_data_path("afina", appauthor=False))
    weights: AbsolutePath = Field(default_factory=lambda: user_cache_path("afina", appauthor=False) / "weights")
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535)  # 0: any free one
    hosts: Annotated[tuple[str, ...], NoDecode] = ()  # further names the app is reached by, separated by commas
    database: SecretStr | None = None  # a SQLAlchemy URL; SQLite in `home` where it is missing
    upload_limit_mb: int = Field(default=200, ge=1, le=10_000)  # per upload, MiB
    model: str = "local:smollm2-135m"
    embedder: str = "all-minilm-l6-v2"
    model_calls: int = Field(default=15, ge=1, le=1_000)  # per message, of a model that calls tools
    tool_calls: int = Field(default=25, ge=0, le=1_000)  # per message
    turn_seconds: float = Field(default=120.0, gt=0.0, le=86_400.0)  # without what a person takes to approve
    turn_dollars: float = Field(default=0.50, gt=0.0, le=1_000.0)  # per message, by the prices that are known
    log: Literal["debug", "info", "warning", "error"] = "info"
    openai_api_key: Key = Field(default=None, validation_alias=AliasChoices("AFINA_OPENAI_API_KEY", "OPENAI_API_KEY"))
    server_api_key: Key = None  # of the server named by AFINA_MODEL=http://host/v1#model, where it wants one
    hf_token: Key = Field(default=None, validation_alias=AliasChoices("AFINA_HF_TOKEN", "HF_TOKEN"))
    gemini_api_key: Key = Field(
        default=None, validation_alias=AliasChoices("AFINA_GEMINI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
    )
    brave_api_key: Key = Field(default=None, validation_alias=AliasChoices("AFINA_BRAVE_API_KEY", "BRAVE_API_KEY"))
    tavily_api_key: Key = Field(default=None, validation_alias=AliasChoices("AFINA_TAVILY_API_KEY", "TAVILY_API_KEY"))

    ollama_host: str = Field(default="", validation_alias=AliasChoices("AFINA_OLLAMA_HOST", "OLLAMA_HOST"))
    vertex_project: str = Field(
        default="", validation_alias=AliasChoices("AFINA_VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT")
    )
    vertex_location: str = Field(
        default="", validation_alias=AliasChoices("AFINA_VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION")
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = getattr(dotenv_settings, "env_file", None)
        return init_settings, env_settings, _OurLines(settings_cls, env_file=file)

    @field_validator("hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @property
    def database_url(self) -> str:
        if self.database is not None:
            return self.database.get_secret_value()
        return f"sqlite:///{(self.home / 'afina.sqlite3').as_posix()}"

    @property
    def uploads(self) -> Path:
        """Where dropped files lie until the library has copied them. Emptied at every start."""
        return self.home / "uploads"

    @property
    def upload_limit(self) -> int:
        """Bytes."""
        return self.upload_limit_mb * 1024 * 1024

    @property
    def limits(self) -> Limits:
        """Of one turn."""
        from assistant.agent.limits import Limits

        return Limits(self.model_calls, self.tool_calls, self.turn_seconds, self.turn_dollars)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the app."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def provider_keys(self) -> dict[str, str]:
        """Provider → secret, for assistant.models.keys: those that are set."""
        given = {
            "openai": self.openai_api_key,
            "vertex": self.gemini_api_key,
            "http": self.server_api_key,
            "hf": self.hf_token,
            "brave": self.brave_api_key,
            "tavily": self.tavily_api_key,
        }
        return {name: key.get_secret_value() for name, key in given.items() if key is not None}

    @property
    def model_places(self) -> dict[str, str]:
        """Where models are, for assistant.models: an Ollama's address ("": this machine), Vertex AI's project."""
        return {"ollama": self.ollama_host, "project": self.vertex_project, "location": self.vertex_location}

    def secrets(self) -> list[str]:
        """What a log must never show."""
        database = self.database.get_secret_value() if self.database is not None else ""
        return [secret for secret in (database, *self.provider_keys.values()) if secret]


class WrongSettings(ForOperator):
    """Named, never shown: a value may be a secret."""


def explain(error: ValidationError) -> str:
    """One sentence per wrong setting, naming the variable and never its value."""
    sentences = []
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
        ours = name.startswith(("AFINA_", "OPENAI_", "HF_", "GEMINI_", "GOOGLE_", "BRAVE_", "TAVILY_"))
        name = name if ours else f"AFINA_{name}"
        message = "is not a setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        sentences.append(f"{name}: {message}.")
    return " ".join(sentences)
