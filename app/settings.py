"""Every knob of the service, once: frozen, validated, with the environment name `MARKWISE_<FIELD>`.

Built explicitly by whoever starts a process (`Settings()`), never at import. This module and nothing else reads
the environment. It does not know what the values are used for.
"""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

APP_ROLE = "markwise_app"
QUEUE_ROLE = "markwise_queue"


def _postgres_url(url: str) -> str:
    """Accept the spellings people paste and settle on `postgresql://`."""
    scheme, sep, rest = url.partition("://")
    if not sep or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("expected a URL that starts with postgresql://")
    return f"postgresql://{rest}"


def _redis_url(url: str) -> str:
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("expected a URL that starts with redis://, rediss:// or unix://")
    return url


def _http_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        fit = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fit = False
    if not fit:
        raise ValueError("expected a URL that starts with http:// or https://, then host and port")
    return url


def _as_text(value: Any) -> str:
    """A setting as its environment variable; secrets travel in the clear, to our own children only."""
    if isinstance(value, dict):
        plain = {n: v.model_dump(exclude_none=True) if isinstance(v, BaseModel) else v for n, v in value.items()}
        return json.dumps(plain, default=_as_text)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


PostgresUrl = Annotated[str, AfterValidator(_postgres_url)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
OutsideName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
OutsideClass = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


def derived_password(owner_password: str, role: str) -> str:
    """Password of a lesser role, computed from the owner's, so that one secret is enough to configure."""
    return hmac.new(owner_password.encode(), f"markwise:{role}".encode(), hashlib.sha256).hexdigest()


def url_for_role(owner_url: str, role: str) -> str:
    """Return `owner_url` with the user replaced by `role` and its derived password (none where the owner has none)."""
    parts = urlsplit(owner_url)
    place = parts.netloc.rpartition("@")[2]
    login = role if not parts.password else f"{role}:{quote(derived_password(unquote(parts.password), role))}"
    return urlunsplit(parts._replace(netloc=f"{login}@{place}"))


class TeacherAt(BaseModel):
    """Where a named teacher answers; `model` is what its server calls it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: HttpUrl
    model: str
    api_key: SecretStr | None = None
    timeout_s: float = Field(default=120.0, gt=0)
    input_px: int | None = Field(default=None, ge=1, description="pictures are painted at this square")


class Settings(BaseSettings):
    """Frozen settings of one process; fields left out take the embedded profile's values."""

    model_config = SettingsConfigDict(env_prefix="MARKWISE_", env_ignore_empty=True, frozen=True, extra="ignore")

    # Where things are. No database URL means the embedded stack under `home`.
    profile: Literal["embedded", "production"] | None = None
    home: Path = Path(".markwise")
    database_url: PostgresUrl | None = Field(default=None, description="owner's URL; used by migrate only")
    app_database_url: PostgresUrl | None = None
    queue_database_url: PostgresUrl | None = None
    redis_url: RedisUrl | None = None
    blobs: str | None = Field(default=None, description="a folder or s3://bucket/prefix")

    # The multimodal model. No URL means a local one, in a worker: the checkpoint folder named here, else the built-in one.
    local_model: Path | None = None
    vlm_url: HttpUrl | None = None
    vlm_model: str | None = Field(default=None, description="without it the first model that the server lists")
    vlm_api_key: SecretStr | None = None
    vlm_dialect: Literal["auto", "general", "tiny"] = Field(
        default="auto", description="the prompts the model was made for; auto goes by its name"
    )
    vlm_input_px: int | None = Field(
        default=None,
        ge=0,
        description="pictures are painted at this square; 0 sends them as they are, unset goes by the model's name",
    )
    vlm_concurrency: int = Field(
        default=32, ge=1, description="questions that one API process puts to the server at once"
    )
    vlm_probe: bool = Field(
        default=True, description="find out at start whether the server shows whole pictures, and refuse it if not"
    )
    vlm_adapters: Path | None = Field(
        default=None, description="where LoRA adapters are put; the server sees this folder under the same path"
    )
    vlm_timeout_s: float = Field(default=60.0, gt=0, description="the longest that one answer of the server may take")

    # More models that write training texts, by the name that an order's `model` gives: JSON, such as
    # {"gpt-4o": {"url": "https://api.openai.com/v1", "model": "gpt-4o", "api_key": "..."}}.
    teachers: dict[str, TeacherAt] = Field(default_factory=dict)

    # Chooses among captions for concept documents (MMGiC): the folder of a CLIP; without it the words alone decide.
    caption_scorer: Path | None = None

    # Segmenters with weights. `sam`: a checkpoint file, or a name that is downloaded once into the cache (sam-vit-b,
    # sam-vit-l, sam-vit-h); `semantic_sam` likewise (semantic-sam-swin-l, semantic-sam-swin-t@sha256:SUM), or random-swin-t
    # to rehearse without any; the others: a folder as `hf download` or save_pretrained leaves it.
    sam_weights: str | None = None
    semantic_sam_weights: str | None = None
    sam2_weights: str | None = None
    sam_hq_weights: str | None = None
    mask2former_weights: str | None = None
    oneformer_weights: str | None = None
    weights_cache: Path | None = Field(default=None, description="where downloads lie; default: weights under home")
    segmenters: dict[OutsideName, OutsideClass] = Field(
        default_factory=dict, description='segmenters of your own: JSON, such as {"shapes": "my_module:MyClass"}'
    )
    compile_segmenters: bool = Field(default=False, description="torch.compile, for long-lived GPU workers")

    # Image URLs: networks of the operator's own that may be fetched besides public ones (comma-separated), and ports.
    fetch_networks: str = ""
    fetch_ports: str = "80,443"

    # Annotation files and pictures that imports may read on this machine; callers need the scope `admin` for them.
    imports: Path | None = Field(default=None, description="default: the folder imports under home")

    # Question, label and picture files of benchmarks that evaluations may read on this machine, a folder for each by its name.
    benchmarks: Path | None = Field(default=None, description="default: the folder benchmarks under home")

    # Jobs. A lease outlives several missed heartbeats; the database clock decides.
    lease_s: float = Field(default=15.0, gt=0)
    heartbeat_s: float = Field(default=3.0, gt=0)
    max_attempts: int = Field(default=3, ge=1)
    dispatch_poll_s: float = Field(default=0.5, gt=0)
    reap_every_s: float = Field(default=2.0, gt=0)
    hint_resend_s: float = Field(
        default=10.0, gt=0, description="a queued job this long without a claim is hinted again"
    )
    outstanding_hints: int = Field(default=64, ge=1, description="hints left waiting in Redis per queue")

    # How long things are kept, in days; unset is for ever. Images go only while nothing was made of them: no label, no facts, no texts.
    keep_images_days: float | None = Field(default=None, gt=0)
    keep_answers_days: float | None = Field(default=None, gt=0)
    keep_jobs_days: float | None = Field(
        default=None,
        gt=0,
        description="finished ones; a job that texts, datasets, versions or evaluations come from stays",
    )
    keep_deliveries_days: float | None = Field(default=30.0, gt=0)
    keep_idempotency_keys_days: float | None = Field(default=1.0, gt=0)

    # Processes started by `serve`.
    api_processes: int = Field(
        default=1, ge=1, description="each has its own memory of pictures, breaker and limits on what is under way"
    )
    interactive_concurrency: int = Field(default=1, ge=1)
    batch_concurrency: int = Field(default=1, ge=1)
    train_concurrency: int = Field(default=1, ge=1)
    training_processes: int = Field(
        default=1, ge=1, description="of one training: one per GPU; several share the language layers' weights (FSDP)"
    )
    stop_grace_s: float = Field(default=10.0, gt=0)
    last_call_s: float | None = Field(
        default=None, ge=0, description="how long an API process that stops still answers, while /readyz says 503"
    )

    # Database limits of one process.
    pool_size: int = Field(default=8, ge=1)
    pool_overflow: int = Field(default=8, ge=0)
    statement_timeout_ms: int = Field(default=15_000, ge=0)
    lock_timeout_ms: int = Field(default=5_000, ge=0)
    idle_in_transaction_timeout_ms: int = Field(default=30_000, ge=0)

    # Admission. Per API process; 0 is no limit. Whoever is refused hears 429 (the key's share) or 503 (capacity), both with Retry-After.
    key_requests_per_min: int = Field(
        default=1200, ge=0, description="of one key; those of five seconds may come at once"
    )
    key_at_once: int = Field(default=16, ge=0, description="POSTs of one key under way")
    capacity: int = Field(default=512, ge=0, description="POSTs of all callers under way")
    queue_limit: int = Field(
        default=200, ge=0, description="interactive jobs of all tenants that may wait for a worker"
    )

    require_keys: bool = Field(default=False, description="every request needs an API key; always so beyond loopback")

    # What operators see. Traces go to `otlp_endpoint`/v1/traces and need the extra `otel`.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    otlp_endpoint: HttpUrl | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.lease_s < 2 * self.heartbeat_s:
            raise ValueError("lease_s must be at least twice heartbeat_s, or one late heartbeat loses the job")
        if self.profile == "production" and not (self.app_database_url or self.database_url):
            raise ValueError("the production profile needs MARKWISE_DATABASE_URL or MARKWISE_APP_DATABASE_URL")
        return self

    @property
    def embedded(self) -> bool:
        """True if Postgres and Redis are ours to start (one local tenant, loopback only)."""
        if self.profile is not None:
            return self.profile == "embedded"
        return self.database_url is None and self.app_database_url is None

    @property
    def leave_s(self) -> float:
        """`last_call_s`, else 3 s; none where nobody else would be asked instead: one process on one machine."""
        usual_s = 0.0 if self.embedded and self.api_processes == 1 else 3.0
        return usual_s if self.last_call_s is None else self.last_call_s

    @property
    def data_folder(self) -> Path:
        """`home`, absolute."""
        return self.home.expanduser().absolute()

    @property
    def adapters_folder(self) -> Path:
        """Where adapters lie for the model server: as given, else under `home`."""
        return self.vlm_adapters or self.data_folder / "adapters"

    @property
    def app_url(self) -> str:
        """URL of the restricted role that the API and the handlers use; raises ValueError if nothing names one."""
        return self._role_url(self.app_database_url, APP_ROLE)

    @property
    def queue_url(self) -> str:
        """URL of the role that sees the queue tables of every tenant and nothing else."""
        return self._role_url(self.queue_database_url, QUEUE_ROLE)

    @property
    def hints_url(self) -> str:
        """URL of Redis; raises ValueError if nothing names one."""
        if self.redis_url is None:
            raise ValueError("MARKWISE_REDIS_URL is not set")
        return self.redis_url

    @property
    def segmenter_weights(self) -> dict[str, str]:
        """What is installed for the segmenters that need weights, by their names."""
        given = {
            "sam": self.sam_weights,
            "semantic-sam": self.semantic_sam_weights,
            "sam2": self.sam2_weights,
            "sam-hq": self.sam_hq_weights,
            "mask2former": self.mask2former_weights,
            "oneformer": self.oneformer_weights,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def weights_folder(self) -> Path:
        """Where downloaded weights lie."""
        return (self.weights_cache or self.data_folder / "weights").expanduser().absolute()

    @property
    def benchmarks_folder(self) -> Path:
        """Where evaluations look for benchmarks."""
        return (self.benchmarks or self.data_folder / "benchmarks").expanduser().absolute()

    @property
    def metrics_folder(self) -> Path:
        """Where several API processes keep their counts together."""
        return self.data_folder / "run" / "metrics"

    @property
    def imports_folder(self) -> Path:
        """What imports may read."""
        return (self.imports or self.data_folder / "imports").expanduser().absolute()

    @property
    def blobs_place(self) -> str:
        """Where blobs lie: as given, else a folder under `home`."""
        return self.blobs or str(self.data_folder / "blobs")

    def _role_url(self, given: str | None, role: str) -> str:
        if given is not None:
            return given
        if self.database_url is None:
            raise ValueError("MARKWISE_DATABASE_URL is not set")
        return url_for_role(self.database_url, role)

    def resolved(self, *, database_url: str, redis_url: str) -> Self:
        """Return the same settings with the addresses of a started stack filled in."""
        return self.model_copy(
            update={
                "profile": "embedded" if self.embedded else "production",
                "home": self.data_folder,
                "database_url": _postgres_url(database_url),
                "redis_url": _redis_url(redis_url),
            }
        )

    def child_environment(self) -> dict[str, str]:
        """Environment for API and worker processes: ours plus these settings, without the owner's database URL."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MARKWISE_")}
        given = self.model_copy(
            update={"app_database_url": self.app_url, "queue_database_url": self.queue_url, "database_url": None}
        )
        for name in type(self).model_fields:
            value = getattr(given, name)
            if value is None:
                continue
            environment[f"MARKWISE_{name.upper()}"] = _as_text(value)
        return environment
