import asyncio
import socket
from typing import Any

import pytest

from proxy.name_resolver import NameResolver


class Names:
    """The names that exist; it replaces DNS."""

    def __init__(self) -> None:
        self.known = {"upstream.test"}
        self.failure = socket.EAI_NONAME

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        if host not in self.known:
            raise socket.gaierror(self.failure, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


@pytest.fixture
async def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    return names


async def failure(resolver: NameResolver, host: str) -> int | None:
    with pytest.raises(socket.gaierror) as caught:
        await resolver.resolve(host)
    return caught.value.errno


async def test_a_name_that_was_never_found_does_not_exist(names: Names) -> None:
    assert await failure(NameResolver(), "wrong.test") == names.failure


@pytest.mark.parametrize("reason", [socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_AGAIN])
async def test_a_name_that_was_found_before_may_come_back(names: Names, reason: int) -> None:
    resolver = NameResolver()
    assert [a["host"] for a in await resolver.resolve("upstream.test", 80)] == ["192.0.2.1"]
    names.known.clear()
    names.failure = reason
    assert await failure(resolver, "upstream.test") == socket.EAI_AGAIN


async def test_remembered_names_are_bounded(names: Names) -> None:
    resolver = NameResolver()
    many = [f"bucket-{n}.test" for n in range(2000)]
    names.known.update(many)
    for name in many:
        await resolver.resolve(name)
    names.known.clear()
    assert await failure(resolver, many[0]) == socket.EAI_AGAIN
    assert await failure(resolver, many[-1]) == names.failure
