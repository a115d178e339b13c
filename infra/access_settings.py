"""Settings of who may come in over HTTP: addresses, tokens, sign-in, sessions.

A base of `infra.settings.Settings`; unsafe combinations are refused with the reason.
"""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from infra.addresses import is_loopback, split_address

HTTP_OFF: Final = "off"
TOKEN_CHARS_MIN: Final = 16
LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class AccessSettings(BaseSettings):
    """Names are those of the variables without the prefix."""

    http: str = "127.0.0.1:8080"
    """Where HTTP is served; `off` for nowhere."""
    http_token: SecretStr | None = None
    """A service token given by the settings: it may send events, follow alerts, work the queue
    and read metrics, of every practice. `caretally tokens` makes others."""
    http_auth: Literal["auto", "tokens", "accounts"] = "auto"
    """`auto`: on loopback everybody is let in until somebody has an account. `accounts`: local
    accounts, elsewhere too. `tokens`: service tokens, and the provider where there is one."""
    http_url: str = ""
    """Where people reach it, `https://care.example.org`; with a reverse proxy or a provider."""
    http_names: str = ""
    """Further names under which it is asked, parted by commas."""
    http_proxies: str = ""
    """Addresses of reverse proxies whose X-Forwarded-For and -Proto are believed, by commas."""
    http_certfile: str = ""
    http_keyfile: str = ""
    """With both HTTP is served over TLS."""
    http_requests_per_minute: int = Field(1200, ge=0, le=1_000_000)
    """Of each principal, events apart; 0: no limit."""

    session_idle_minutes: int = Field(30, ge=1, le=1440)
    session_hours: int = Field(12, ge=1, le=168)

    oidc_issuer: str = ""
    """The provider's issuer, exactly as it calls itself."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    """Empty for a public client; PKCE is used either way."""
    oidc_scopes: str = "openid profile"
    oidc_name_claim: str = "preferred_username"
    oidc_roles_claim: str = "roles"
    """Members of members are parted by dots: `realm_access.roles`."""
    oidc_practices_claim: str = "practices"
    """Ids of practices; `*` among them stands for every one."""
    oidc_roles: str = ""
    """`their-name=biller,their-other=admin`; empty: roles are called as ours."""

    @field_validator("http")
    @classmethod
    def _http(cls, address: str) -> str:
        if address != HTTP_OFF:
            split_address(address)
        return address

    @field_validator("http_token")
    @classmethod
    def _token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is None or len(token.get_secret_value()) >= TOKEN_CHARS_MIN:
            return token
        raise ValueError(f"expected a token of at least {TOKEN_CHARS_MIN} characters")

    @field_validator("http_url", "oidc_issuer")
    @classmethod
    def _url(cls, url: str) -> str:
        parts = urlsplit(url)
        host = parts.hostname or ""
        fit = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if (url and not (fit and host)) or parts.query or parts.fragment or parts.username:
            raise ValueError("expected https://HOST, or http:// of this machine alone")
        return url

    @model_validator(mode="after")
    def _safe_access(self) -> AccessSettings:
        if bool(self.http_certfile) != bool(self.http_keyfile):
            raise ValueError("http_certfile: expected both http_certfile and http_keyfile")
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("oidc_client_id: expected the id that the provider knows us by")
        if self.http_address and not is_loopback(self.http_address[0]):
            self._safe_beyond_loopback()
        return self

    def _safe_beyond_loopback(self) -> None:
        """Refuse what others on the network could read or listen to."""
        if self.http_token is None and not self.oidc_issuer and self.http_auth == "auto":
            raise ValueError(
                f"http: {self.http} can be reached from other machines, and anyone could read "
                "patients' data: set http_token, oidc_issuer, or http_auth, or bind 127.0.0.1"
            )
        people = self.oidc_issuer or self.http_auth == "accounts"
        if people and not (self.http_url or self.http_certfile):
            raise ValueError(
                "http_url: people sign in, and others on the network could listen: expected "
                "https://HOST behind a reverse proxy, or http_certfile and http_keyfile; "
                "http://localhost:PORT where only this machine reaches the port"
            )

    @property
    def http_address(self) -> tuple[str, int] | None:
        """Host and port to bind, None where HTTP is off."""
        return None if self.http == HTTP_OFF else split_address(self.http)

    @property
    def is_https(self) -> bool:
        """Whether people's browsers speak TLS, to us or to the proxy before us."""
        return bool(self.http_certfile) or self.http_url.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can ask."""
        return self.http_address is None or is_loopback(self.http_address[0])

    @property
    def takes_passwords(self) -> bool:
        """Whether people can sign in with local accounts."""
        if self.http_auth == "auto":
            return self.is_local and not self.oidc_issuer
        return self.http_auth == "accounts"

    @property
    def opens_to_everybody(self) -> bool:
        """Whether everybody on this machine is let in while nobody has an account."""
        configured = self.http_token is not None or self.oidc_issuer or self.http_auth != "auto"
        return self.is_local and not configured

    @property
    def host_names(self) -> frozenset[str]:
        """Names that a request may be for; empty where any may be."""
        given = {name.strip().lower() for name in self.http_names.split(",")} - {""}
        if self.http_url:
            given.add((urlsplit(self.http_url).hostname or "").lower())
        if not self.is_local and not given:
            return frozenset()
        bound = self.http_address[0].lower() if self.http_address else "localhost"
        return frozenset({bound, *LOOPBACK_NAMES, *given})
