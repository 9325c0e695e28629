"""Who is let in: keys of the collector, the gateway, tokens, sign-in, and the mails that it needs."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from domain.api_keys import hashed
from infra.runtime.setting_groups.stack import Port, StackSettings
from infra.runtime.setting_groups.values import Network, Origin, absolute, key_hashes, long_enough, split

LOCAL_KEY = "playhead-local"


class DoorSettings(StackSettings):
    service_keys: Annotated[dict[str, str], NoDecode, BeforeValidator(key_hashes)] = Field({"local": hashed(LOCAL_KEY)})
    """Keys of servers and commands, which send events of any profile, as name=SHA-256 of the key, separated by commas.
    `playhead key` makes one. The gateway's clients cannot use them."""
    public_keys: Annotated[dict[str, str], NoDecode, BeforeValidator(key_hashes)] = Field({})
    """Keys of pages and apps in which nobody is signed in, which send events without account and profile. Written as
    the service keys."""
    command_key: SecretStr = SecretStr(LOCAL_KEY)
    """Service key with which `playhead simulate` and `playhead replay` send events."""
    web_origins: Annotated[frozenset[Origin], NoDecode, BeforeValidator(split)] = frozenset()
    """Origins of web apps that may use the services, separated by commas, such as https://tv.example.com."""
    collector_wait_seconds: float = Field(10.0, gt=0)
    """How long a request waits for Kafka before it gets 503."""
    collector_max_bytes_in_flight: int = Field(64 * 2**20, ge=2**21)
    """Bytes of request bodies that may be in memory at a time: what has arrived and waits for the rest or for Kafka."""

    gateway_url: str = ""
    """Public address of an external gateway before the collector and the services, which then listen on PLAYHEAD_BIND
    themselves. Empty: the local stack starts one, and only this machine reaches them directly."""
    gateway_trusted_proxies: Annotated[frozenset[Network], NoDecode, BeforeValidator(split)] = frozenset()
    """Addresses or networks of balancers before the local gateway, or of an external gateway, separated by commas, such
    as 10.0.0.0/24. Their `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    gateway_requests_per_address: int = Field(100, ge=1)
    """Requests a second that the local gateway serves to one address; twice as many for a second."""
    gateway_requests_per_key: int = Field(1_000, ge=1)
    """Requests a second that the local gateway serves to one key or token; twice as many for a second."""

    token_signing_key: Annotated[Path | None, AfterValidator(absolute)] = None
    """File with the private key that signs tokens. Empty: the stack's own, which `playhead up` makes."""
    token_keys: Annotated[Path | None, AfterValidator(absolute)] = None
    """File with the public keys of tokens, a JWKS. Empty: the stack's own, which `playhead up` makes."""

    accounts_secret: Annotated[SecretStr, AfterValidator(long_enough)] = SecretStr("")
    """Secret from which refresh tokens follow, 32 characters or more. Empty: the stack's own. Another one signs
    everybody out."""
    sign_in_failures: int = Field(90, ge=1)
    """Wrong passwords of all clients in 15 minutes, after which only known devices sign in."""
    smtp_host: str = ""
    """Mail server with STARTTLS. Empty: on a loopback address mails go to the mailbox page; elsewhere accounts need
    one."""
    smtp_port: int = Field(587, ge=1, le=65535)
    """Port of the mail server."""
    smtp_username: str = ""
    """User name for the mail server. Empty: no authentication."""
    smtp_password: SecretStr = SecretStr("")
    """Password for the mail server."""
    smtp_sender: str = "Playhead <playhead@localhost>"
    """From whom members get their mails."""

    @property
    def signing_key_file(self) -> Path:
        """The private key of tokens: only the owner may read it."""
        return self.token_signing_key or self.folder / "keys" / "signing.jwk"

    @property
    def public_keys_file(self) -> Path:
        """The public keys of tokens."""
        return self.token_keys or self.folder / "keys" / "public.jwks"

    @property
    def local_gateway(self) -> bool:
        return not self.gateway_url

    @property
    def gateway(self) -> str:
        """Public address of the gateway, without a slash at its end."""
        return self.gateway_url.rstrip("/") or self._public(Port.GATEWAY)

    @property
    def service_bind(self) -> str:
        """Address on which the collector and the services listen: the local gateway is their public door."""
        return "127.0.0.1" if self.local_gateway else self.bind
