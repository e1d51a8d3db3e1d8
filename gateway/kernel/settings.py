"""Every setting of the gateway, from the environment (`GATEWAY_…`) and from a TOML file, refused by name when wrong.

Order of precedence: environment, then the TOML file (`gateway.toml` in the working directory, or the file that
`GATEWAY_CONFIG` names), then the defaults below. `docs/reference/settings.md` is generated from this module.
"""

import os
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PostgresDsn, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.kernel.configuration import CONFIG_FILE, CONFIG_VARIABLE, PREFIX
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import DEFAULT_LANGUAGE, Language, Text

BasePaths = Annotated[tuple[Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)+$")], ...], NoDecode]


class SettingsError(GatewayError):
    """A setting is unknown or has a value that the gateway cannot use."""

    code: ClassVar[str] = "INVALID_SETTING"


class DropSettings(BaseModel):
    """A folder that a billing system drops files in.

    Attributes:
        name: what people call it; flows that come by it carry it.
        organisation: SIREN of the organisation its files belong to.
        url: `/folder`, `file:///folder`, or `sftp://user@host:22/folder`.
        password, key_file: how to sign in at the SFTP server; the key is best.
        known_hosts: file with the server's host key; that of the user who runs the gateway when none is given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    organisation: str = Field(pattern=r"^\d{9}$")
    url: str = Field(pattern=r"^(/|file:///|sftp://[^/]).*")
    password: SecretStr | None = None
    key_file: Path | None = None
    known_hosts: Path | None = None


class Settings(BaseSettings):
    """The settings of one installation. Sizes are in bytes, durations in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    # Where data lives
    data_dir: Path = Field(
        Path(".gateway"), description="Folder of the embedded database, the documents and the rule cache."
    )
    database_url: PostgresDsn | None = Field(
        None, description="PostgreSQL 16 or later to use instead of the embedded server."
    )
    database_pool_size: int = Field(
        10,
        ge=1,
        le=200,
        description="Connections that one process keeps open; never fewer than GATEWAY_WORKER_CONCURRENCY.",
    )
    documents_url: str | None = Field(
        None,
        description="Where documents are kept: s3://bucket/prefix (any S3-compatible store) or file:///folder; "
        "none: `documents` in the data folder.",
    )
    documents_endpoint: str | None = Field(
        None, description="Address of an S3-compatible store other than AWS; none: AWS_ENDPOINT_URL, else AWS itself."
    )
    documents_region: str | None = Field(None, description="Region of the bucket; none: AWS_REGION.")
    documents_access_key: str | None = Field(
        None, description="Access key of the bucket; none: AWS_ACCESS_KEY_ID, else the machine’s role."
    )
    documents_secret_key: SecretStr | None = Field(
        None, description="Secret of that access key; none: AWS_SECRET_ACCESS_KEY."
    )
    documents_timeout_seconds: float = Field(
        10.0, gt=0, le=300, description="How long one request to the bucket may take; it is tried a few times."
    )
    ledger_key_file: Path | None = Field(
        None,
        description="Private key (Ed25519, PEM) that signs checkpoints, made at first use; none: `ledger-signing.key` "
        "in the data folder.",
    )

    # Service
    host: str = Field("127.0.0.1", description="Address the service listens on.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port the service listens on; 0: any free one.")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="TCP port of /metrics for a worker or clock alone, which serves no pages; 0: none.",
    )
    public_url: str | None = Field(
        None, description="Address people and systems reach the service at, when a proxy stands before it."
    )
    secure_cookies: bool = Field(
        True, description="Cookies only over HTTPS. Browsers accept them on 127.0.0.1 too; switch off only for tests."
    )
    language: Language = Field(
        DEFAULT_LANGUAGE, description="Language of commands and of pages before a person chooses: fr or en."
    )
    shutdown_grace_seconds: int = Field(
        20, ge=1, le=600, description="How long a stop waits for requests and jobs under way."
    )

    # Logs
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line written."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="JSON lines for machines or text for a terminal."
    )

    # Sign-in
    session_hours: int = Field(12, ge=1, le=720, description="Hours after which a person signs in again.")
    sign_in_attempts: int = Field(
        5,
        ge=1,
        le=100,
        description="Failed sign-ins allowed for one e-mail address or one network address within the window below.",
    )
    sign_in_window_minutes: int = Field(
        15, ge=1, le=1440, description="Minutes over which failed sign-ins are counted."
    )

    # Programs
    token_minutes: int = Field(60, ge=1, le=1440, description="Minutes for which an API access token is valid.")
    signing_key_days: int = Field(
        90, ge=1, le=3650, description="Days after which a new key signs access tokens; older tokens stay valid."
    )
    signing_key_secret: SecretStr | None = Field(
        None,
        description="Encrypts the private keys that sign access tokens in the database; none: the database alone keeps "
        "them. After a change: gateway clients keys rotate.",
    )
    rate_limit_per_minute: int = Field(
        6000, ge=0, le=10_000_000, description="Requests a minute of one API client, in each process; 0: no limit."
    )
    rate_limit_burst: int = Field(
        3000, ge=1, le=10_000_000, description="Requests that one API client may send at once after a pause."
    )
    token_limit_per_minute: int = Field(
        120,
        ge=0,
        le=10_000_000,
        description="Requests a minute of one network address to POST /oauth2/token, in each process; 0: no limit.",
    )
    flow_service_paths: BasePaths = Field(
        ("/flow-service",),
        description="Base paths of the Flow Service. The standard one is always served; add what a client expects: "
        "/flow-service,/afnor-flow.",
    )
    directory_service_paths: BasePaths = Field(
        ("/directory-service",),
        description="Base paths of the Directory Service. The standard one is always served.",
    )

    # Reading limits
    max_file_bytes: int = Field(20 * 2**20, ge=1024, description="Largest document accepted.")
    max_xml_depth: int = Field(64, ge=8, le=256, description="Deepest nesting of XML elements accepted.")
    max_xml_elements: int = Field(2_000_000, ge=1000, description="Most XML elements accepted in one document.")
    max_attachment_bytes: int = Field(10 * 2**20, ge=1024, description="Largest attachment accepted inside a document.")
    max_attachments: int = Field(50, ge=1, le=10_000, description="Most attachments accepted inside a document.")

    # Validation
    validation_required_layers: Annotated[tuple[str, ...], NoDecode] = Field(
        ("well-formed", "xsd", "en16931", "fr-ctc"),
        description="Layers that must have passed before an invoice is sent to a platform.",
    )
    validation_max_seconds: float = Field(
        30.0, gt=0, le=3600, description="Time that the rules may take on one document; past it their layer has failed."
    )
    validation_max_findings: int = Field(
        1000, ge=1, le=1_000_000, description="Findings on one document after which its rules stop."
    )
    own_checks_off: Annotated[tuple[Annotated[str, Field(pattern=r"^GW-\d\d$")], ...], NoDecode] = Field(
        (), description="The gateway’s own checks that are not wanted, by id: GW-01,GW-05."
    )
    catalog_file: Path | None = Field(
        None, description="Catalogue (TOML) of further rule releases, laid over the one that is shipped."
    )

    # Law
    law_file: Path | None = Field(
        None, description="Newer legal rates and limits (TOML), laid over schemas/collection-law.toml."
    )
    law_seconds: float = Field(
        3600.0, gt=0, le=86400, description="How often limitations, claims to declare and penalties are looked at."
    )

    # Jobs and clock
    worker_concurrency: int = Field(4, ge=1, le=64, description="Jobs that one worker process runs at the same time.")
    sweep_seconds: float = Field(5.0, gt=0, le=3600, description="How often the clock looks for work left behind.")
    poll_seconds: float = Field(30.0, gt=0, le=86400, description="How often each platform is asked for new flows.")
    poll_overlap_seconds: float = Field(
        120.0,
        ge=0,
        le=86400,
        description="How far before its newest mark a platform is read again: it may list a flow late.",
    )
    deadlines_file: Path | None = Field(
        None, description="The installation’s own deadlines (TOML), laid over schemas/deadlines.toml."
    )
    deadlines_seconds: float = Field(
        3600.0, gt=0, le=86400, description="How often the deadlines of invoices are looked at."
    )
    reminders_seconds: float = Field(
        900.0, gt=0, le=86400, description="How often it is decided whom to remind, and by which step."
    )
    reminders_automatic: bool = Field(
        False,
        description="Whether automatic steps of scenarios leave by themselves; else a person confirms every message.",
    )
    reminder_attachments: int = Field(
        25, ge=0, le=500, description="Invoices attached to one reminder at most; with more, only the statement is."
    )
    reminder_attachments_bytes: int = Field(
        8_000_000, ge=0, description="Size of the invoices attached to one reminder at most, all together."
    )
    batch_size: int = Field(50, ge=1, le=5000, description="Rows that one job drains before it lets others run.")
    processing_attempts: int = Field(
        5, ge=1, le=100, description="Tries of a received flow before it waits in quarantine for a person."
    )
    delivery_attempts: int = Field(8, ge=1, le=100, description="Tries of a delivery before a person must decide.")

    # Platform
    platform: str = Field(
        "simulator",
        pattern=r"^[a-z0-9][a-z0-9-]{0,39}$",
        description="Platform of an organisation that has not connected one: simulator, on this machine.",
    )
    platforms_file: Path | None = Field(
        None, description="The installation’s own platforms (TOML), laid over schemas/platforms.toml."
    )
    platform_timeout_seconds: float = Field(
        60.0, gt=0, le=600, description="Longest silence of a platform before its answer counts as lost."
    )
    platform_call_tolerance_seconds: int = Field(
        300, ge=1, le=86400, description="How far the time that signs a call of a platform may be from ours."
    )
    platform_call_limit_per_minute: int = Field(
        12000,
        ge=0,
        le=10_000_000,
        description="Calls a minute of one network address to /platform-calls, in each process; 0: no limit.",
    )
    simulator_step_seconds: float = Field(
        60.0, ge=0, le=86400, description="Time the local platform simulator leaves between two statuses."
    )

    # Drops
    drops: tuple[DropSettings, ...] = Field(
        (),
        description="Folders, here or by SFTP, that billing systems drop files in, as a JSON list: "
        '[{"name": "billing", "organisation": "552100554", "url": "sftp://billing@host/folder", "key_file": "…"}].',
    )
    drop_seconds: float = Field(10.0, gt=0, le=86400, description="How often the drops are looked at.")
    drop_quiet_seconds: float = Field(
        5.0, ge=0, le=3600, description="How long a dropped file must rest before it is taken: it may still be written."
    )

    # Directory
    preflight: Literal["off", "warn", "hold"] = Field(
        "warn",
        description="What becomes of an invoice whose buyer’s address (BT-49) the directory would not route: off: the "
        "address is not checked; warn: a remark and an alert; hold: the invoice waits in quarantine.",
    )
    preflight_recheck_seconds: float = Field(
        3600.0, ge=1, le=7 * 86400, description="How often the directory is asked again about an invoice that waits so."
    )
    directory_cache_seconds: int = Field(
        900, ge=0, le=86400, description="How long the directory’s answer about an address is used again."
    )
    directory_pause_seconds: int = Field(
        60, ge=0, le=3600, description="How long a directory that failed is left alone; addresses go unchecked then."
    )

    # Webhooks
    webhook_allow_http: bool = Field(False, description="Call webhooks by http too: for tests and closed networks.")
    webhook_allow_private: bool = Field(
        False, description="Call webhooks at private addresses too: a program could then reach your own network."
    )
    webhook_timeout_seconds: float = Field(10.0, gt=0, le=30, description="How long the answer of a webhook may take.")
    webhook_give_up_days: int = Field(
        3, ge=1, le=90, description="Days without one success after which a webhook is disabled and people are told."
    )

    # E-mail
    smtp_url: SecretStr | None = Field(
        None, description="Mail server for notifications: smtp://user:password@host:587 or smtps://…; none: no e-mail."
    )
    mail_from: str = Field("gateway@localhost", description="Sender of the gateway’s e-mails.")
    sms_hook_url: SecretStr | None = Field(
        None, description="Address called with the number and the text of each SMS; none: a person sends them."
    )

    @field_validator(
        "validation_required_layers",
        "own_checks_off",
        "flow_service_paths",
        "directory_service_paths",
        mode="before",
    )
    @classmethod
    def _split_list(cls, value: object) -> object:
        """An environment variable writes a list with commas; a TOML file has lists of its own."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("drops")
    @classmethod
    def _distinct_names(cls, value: tuple[DropSettings, ...]) -> tuple[DropSettings, ...]:
        names = [drop.name for drop in value]
        if len(set(names)) < len(names):
            raise ValueError("two drops have the same name")
        return value

    @property
    def session_length(self) -> timedelta:
        """How long a sign-in lasts."""
        return timedelta(hours=self.session_hours)

    @property
    def sign_in_window(self) -> timedelta:
        """Window over which failed sign-ins are counted."""
        return timedelta(minutes=self.sign_in_window_minutes)

    @property
    def token_length(self) -> timedelta:
        """How long an API access token is valid."""
        return timedelta(minutes=self.token_minutes)

    @property
    def signing_key_life(self) -> timedelta:
        """How long a key signs access tokens."""
        return timedelta(days=self.signing_key_days)

    @property
    def issuer(self) -> str:
        """Who issues access tokens (their `iss` and `aud`, RFC 9068): the address the service is reached at."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the TOML file."""
        config = Path(os.environ.get(CONFIG_VARIABLE, CONFIG_FILE))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config)


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises SettingsError naming the first wrong setting."""
    _refuse_unknown_variables()
    config = os.environ.get(CONFIG_VARIABLE)
    if config and not Path(config).is_file():
        raise SettingsError(
            Text(
                f"Le fichier de configuration {config} n’existe pas.",
                f"The configuration file {config} does not exist.",
            ),
            Text(f"Corrigez {CONFIG_VARIABLE} ou créez ce fichier.", f"Correct {CONFIG_VARIABLE} or create that file."),
            CONFIG_VARIABLE,
        )
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise _named(error) from error
    except ValueError as error:  # a TOML file that is not TOML
        raise SettingsError(
            Text(
                f"Le fichier de configuration ne se lit pas : {error}.",
                f"The configuration file cannot be read: {error}.",
            ),
            Text("Corrigez sa syntaxe TOML.", "Correct its TOML syntax."),
            config or CONFIG_FILE,
        ) from error


def _refuse_unknown_variables() -> None:
    """A misspelt variable would otherwise leave its default in force without a word."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            close = get_close_matches(variable.upper(), known, n=1)
            hint = close[0] if close else "docs/reference/settings.md"
            raise SettingsError(
                Text(f"Le réglage {variable} n’existe pas.", f"There is no setting {variable}."),
                Text(f"Voir {hint}.", f"See {hint}."),
                variable,
            )


def _named(error: ValidationError) -> SettingsError:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else "?"
    variable = PREFIX + field.upper()
    reason = first["msg"]
    shown = "" if "secret" in field or "url" in field else f" (« {first['input']} »)"
    known = Settings.model_fields.get(field)
    advice = known.description if known and known.description else "docs/reference/settings.md"
    return SettingsError(
        Text(f"Le réglage {field} est refusé{shown} : {reason}.", f"The setting {field} is refused{shown}: {reason}."),
        Text(
            f"Corrigez {variable} ou la clé « {field} » du fichier TOML. {advice}",
            f"Correct {variable} or the key '{field}' of the TOML file. {advice}",
        ),
        variable,
    )
