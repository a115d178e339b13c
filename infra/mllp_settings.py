"""Settings of the MLLP listener, over which HL7 v2 comes in.

MLLP knows neither users nor secrets. So what other machines can reach is refused unless it says
who may: by client certificates, or by the networks that senders are in.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from infra.addresses import is_loopback, split_address

MLLP_OFF: Final = "off"


class MllpSettings(BaseSettings):
    """A part of `infra.settings.Settings`."""

    mllp: str = MLLP_OFF
    """Where MLLP is served, such as `127.0.0.1:2575`; `off` for nowhere."""
    mllp_site: str = ""
    """The site profile of what comes in; without it MSH-3 and MSH-4 say it."""
    mllp_peers: str = ""
    """Networks or addresses of senders, parted by commas; empty: everybody."""
    mllp_certfile: str = ""
    mllp_keyfile: str = ""
    """With both, TLS."""
    mllp_cafile: str = ""
    """Authorities of client certificates; with it each sender must show one."""
    mllp_connections_max: int = Field(256, ge=1, le=10_000)
    mllp_idle_seconds: float = Field(600.0, ge=1.0, le=86_400.0)
    """A connection over which nothing whole has come for so long is closed."""

    @field_validator("mllp")
    @classmethod
    def _address(cls, address: str) -> str:
        if address != MLLP_OFF:
            split_address(address)
        return address

    @field_validator("mllp_peers")
    @classmethod
    def _networks(cls, peers: str) -> str:
        networks(peers)
        return peers

    @model_validator(mode="after")
    def _safe_mllp(self) -> MllpSettings:
        if bool(self.mllp_certfile) != bool(self.mllp_keyfile):
            raise ValueError("mllp_certfile, mllp_keyfile: expected both or none")
        if self.mllp_cafile and not self.mllp_certfile:
            raise ValueError("mllp_cafile: expected mllp_certfile and mllp_keyfile with it")
        address = self.mllp_address
        if address is None or is_loopback(address[0]) or self.mllp_cafile or self.mllp_peers:
            return self
        raise ValueError(
            f"mllp: {self.mllp} can be reached from other machines, and anyone could send: set "
            "mllp_cafile for client certificates or mllp_peers, or bind 127.0.0.1"
        )

    @property
    def mllp_address(self) -> tuple[str, int] | None:
        """Host and port to bind, None where MLLP is off."""
        return None if self.mllp == MLLP_OFF else split_address(self.mllp)


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks of addresses parted by commas. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
