"""No webhook reaches a private address, whatever its name says, when, or through which answer."""

from __future__ import annotations

import asyncio
import time

import pytest

from infra.outbound import Outbound, check_url, is_public
from tests.receiver import Receiver

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_of_the_open_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_addresses_of_the_open_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
async def test_the_own_machine_is_not_called_however_it_is_written(
    host: str, endpoint: Receiver
) -> None:
    outbound = Outbound()
    answer = await outbound.post(f"http://{host}:{endpoint.port}/in", {}, b"{}")
    await outbound.close()
    assert (answer.status, answer.fault) == (0, "the name leads to an address that is not public")
    assert endpoint.got == []


async def test_one_private_address_among_public_ones_is_enough_to_refuse(
    endpoint: Receiver,
) -> None:
    async def lookup(_host: str, _port: int) -> list[str]:
        return ["8.8.8.8", "127.0.0.1"]

    outbound = Outbound(lookup=lookup)
    answer = await outbound.post(f"http://pager.example:{endpoint.port}/", {}, b"{}")
    await outbound.close()
    assert "not public" in answer.fault
    assert endpoint.got == []


async def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_judged(
    endpoint: Receiver,
) -> None:
    """A name that answers differently the second time gains nothing: nobody asks again."""
    asked = []

    async def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["203.0.113.9"]

    outbound = Outbound(allow_private=True, lookup=lookup)
    answer = await outbound.post(f"http://pager.invalid:{endpoint.port}/in", {}, b"{}")
    await outbound.close()
    assert answer.status == 204
    assert asked == ["pager.invalid"]
    assert endpoint.got[0].headers["host"] == f"pager.invalid:{endpoint.port}"


async def test_redirects_are_answers_and_are_not_followed(
    endpoint: Receiver, other: Receiver
) -> None:
    endpoint.answer = lambda _: (307, {"location": other.url})
    outbound = Outbound(allow_private=True)
    answer = await outbound.post(endpoint.url, {}, b"{}")
    await outbound.close()
    assert answer.status == 307
    assert other.got == []


async def test_proxies_of_the_environment_are_not_used(
    endpoint: Receiver, other: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{other.port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{other.port}")
    outbound = Outbound(allow_private=True)
    assert (await outbound.post(endpoint.url, {}, b"{}")).status == 204
    await outbound.close()
    assert other.got == []


async def test_an_answer_that_drips_is_given_up_in_time() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"x-slow: 1\r\n")
            await asyncio.sleep(0.05)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outbound = Outbound(allow_private=True, timeout_seconds=0.5)
    began = time.monotonic()
    answer = await outbound.post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert (answer.status, answer.fault) == (0, "no answer in 0.5 s")
    assert time.monotonic() - began < 2
    await outbound.close()
    server.close()


async def test_an_endless_answer_is_cut_off() -> None:
    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outbound = Outbound(allow_private=True, timeout_seconds=5)
    assert (await outbound.post(f"http://127.0.0.1:{port}/", {}, b"{}")).status == 200
    await outbound.close()
    server.close()


async def test_a_dead_port_and_an_unknown_name_are_answers_too() -> None:
    outbound = Outbound(allow_private=True)
    assert (await outbound.post("http://127.0.0.1:1/", {}, b"")).fault == "ConnectError"
    assert (await outbound.post("http://no-such-host.invalid/", {}, b"")).fault == "ConnectError"
    await outbound.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://pager.example/", "webhooks_allow_private"),
        ("ftp://pager.example/", "expected https://HOST/PATH"),
        ("pager.example", "no scheme"),
        ("https:///in", "expected https://HOST/PATH"),
        ("https://user:pw@pager.example/", "no user name or password"),
        ("https://pager.example/#top", "no # part"),
        ("https://pager.example/a b", "printable ASCII"),
        ("https://pager.example:99999/", "[Pp]ort"),
        ("https://pager.example/" + "x" * 2000, "at most 2000"),
    ],
)
def test_urls_that_can_never_be_called_are_refused_at_once(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_url(url, allow_private=False)


def test_urls_that_may_be_called() -> None:
    check_url("https://pager.example:8443/in?x=1", allow_private=False)
    check_url("http://127.0.0.1:9000/in", allow_private=True)
