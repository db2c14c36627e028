"""What every state store promises (providers/state.py), in each of its forms."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from providers.body import Body, TruncatedBody
from providers.state import State, read, write


async def names(state: State, prefix: str = "") -> list[str]:
    return [info.name async for info in state.list(prefix)]


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize(
    "name", ["salt", "owned/a/b/c", "owned/a.b-c_d/0", "uploads/x1/parts/00000008"]
)
async def test_a_created_object_is_read_back(state: State, name: str) -> None:
    assert await write(state, name, b"content")
    assert await read(state, name) == b"content"
    assert await names(state) == [name]


@pytest.mark.parametrize(
    "chunks",
    [[], [b"ab", b"", b"c"], [b"0123456789" * 10_000] * 9],
    ids=["empty", "small", "large"],
)
@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_is_stored_unchanged(
    state: State, chunks: list[bytes], declared: bool
) -> None:
    content = b"".join(chunks)
    assert await state.create("owned/a", Body(pieces(*chunks), len(content) if declared else None))
    got = await state.get("owned/a")
    assert got is not None
    assert got.length == len(content)
    assert b"".join([chunk async for chunk in got.chunks]) == content


async def test_an_existing_object_is_never_overwritten(state: State) -> None:
    assert await write(state, "owned/a", b"first")
    assert not await write(state, "owned/a", b"second")
    assert await read(state, "owned/a") == b"first"


async def test_a_create_reads_its_body_even_if_the_name_exists(state: State) -> None:
    """So a caller that cuts one stream into slices continues at the right byte."""
    await write(state, "owned/a", b"first")
    ended = False

    async def source() -> AsyncIterator[bytes]:
        nonlocal ended
        yield b"second"
        ended = True

    assert not await state.create("owned/a", Body(source(), 6))
    assert ended


async def test_one_of_two_concurrent_creates_succeeds(state: State) -> None:
    both_begun = asyncio.Barrier(2)

    async def source(content: bytes) -> AsyncIterator[bytes]:
        await both_begun.wait()
        yield content

    created = await asyncio.gather(
        state.create("owned/a", Body(source(b"x"), 1)),
        state.create("owned/a", Body(source(b"y"), 1)),
    )
    assert sorted(created) == [False, True]
    assert await read(state, "owned/a") == (b"x" if created[0] else b"y")


@pytest.mark.parametrize("chunks", [[b"ab"], [b"abcd"], [], [b"abc", b"d"]])
async def test_a_body_of_another_length_creates_nothing(state: State, chunks: list[bytes]) -> None:
    with pytest.raises(TruncatedBody):
        await state.create("owned/a", Body(pieces(*chunks), 3))
    assert await names(state) == []
    assert await write(state, "owned/a", b"later")


async def test_a_body_that_fails_creates_nothing(state: State) -> None:
    failure = ConnectionResetError("client")

    async def source() -> AsyncIterator[bytes]:
        yield b"begun"
        raise failure

    with pytest.raises(ConnectionResetError) as caught:
        await state.create("owned/a", Body(source(), None))
    assert caught.value is failure
    assert await names(state) == []


async def test_a_cancelled_create_creates_nothing(state: State) -> None:
    begun = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"x" * (1 << 20)
        begun.set()
        await asyncio.Event().wait()

    create = asyncio.create_task(state.create("owned/a", Body(source(), None)))
    await begun.wait()
    create.cancel()
    with pytest.raises(asyncio.CancelledError):
        await create
    assert await names(state) == []


async def test_an_object_appears_only_when_it_is_complete(state: State) -> None:
    first_sent, may_end = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"first"
        first_sent.set()
        await may_end.wait()
        yield b"second"

    create = asyncio.create_task(state.create("owned/a", Body(source(), 11)))
    await first_sent.wait()
    assert await state.get("owned/a") is None
    assert await state.head("owned/a") is None
    assert await names(state) == []
    may_end.set()
    assert await create


async def test_a_missing_object_is_none(state: State) -> None:
    assert await state.get("owned/a/b") is None
    assert await state.head("owned/a/b") is None
    assert await read(state, "owned/a/b") is None
    assert await names(state, "owned/a/") == []


async def test_head_returns_size_and_time(state: State) -> None:
    await write(state, "owned/a/b", b"12345")
    info = await state.head("owned/a/b")
    assert info is not None
    assert (info.name, info.size) == ("owned/a/b", 5)
    assert info.created.tzinfo is not None
    assert abs(datetime.now(UTC) - info.created) < timedelta(minutes=1)
    assert [info async for info in state.list("")] == [info]


async def test_a_delete_is_final_and_harmless_if_repeated(state: State) -> None:
    await write(state, "owned/a/b", b"x")
    await write(state, "owned/a/c", b"y")
    for _ in range(2):
        await state.delete("owned/a/b")
    assert await names(state) == ["owned/a/c"]
    assert await write(state, "owned/a/b", b"again")


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (
            "",
            [
                "owned/a",
                "owned/a-b",
                "owned/a.b",
                "owned/a/b",
                "owned/a/b/c",
                "owned/a/b0",
                "owned/a0",
                "owned/b/x",
            ],
        ),
        (
            "owned/a",
            [
                "owned/a",
                "owned/a-b",
                "owned/a.b",
                "owned/a/b",
                "owned/a/b/c",
                "owned/a/b0",
                "owned/a0",
            ],
        ),
        ("owned/a/", ["owned/a/b", "owned/a/b/c", "owned/a/b0"]),
        ("owned/a/b", ["owned/a/b", "owned/a/b/c", "owned/a/b0"]),
        ("owned/a/b/", ["owned/a/b/c"]),
        ("owned/b/x", ["owned/b/x"]),
        ("owned/b/xy", []),
        ("owned/c/", []),
    ],
)
async def test_a_prefix_lists_names_in_order(
    state: State, prefix: str, expected: list[str]
) -> None:
    for name in [
        "owned/b/x",
        "owned/a0",
        "owned/a/b0",
        "owned/a/b",
        "owned/a/b/c",
        "owned/a.b",
        "owned/a",
        "owned/a-b",
    ]:
        await write(state, name, b"")
    assert await names(state, prefix) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("", ["a", "a/a", "a/b", "b", "b-b"]),
        ("owned/x/a", ["a/a", "a/b", "b", "b-b"]),
        ("owned/x/a/a", ["a/b", "b", "b-b"]),
        ("owned/x/a/ab", ["a/b", "b", "b-b"]),
        ("owned/x/ab", ["b", "b-b"]),
        ("owned/x/b", ["b-b"]),
        ("p", []),
    ],
)
async def test_a_list_begins_after_a_name(state: State, after: str, expected: list[str]) -> None:
    for name in ("a", "a/a", "a/b", "b", "b-b"):
        await write(state, f"owned/x/{name}", b"")
    listed = [info.name async for info in state.list("owned/x/", after)]
    assert listed == [f"owned/x/{name}" for name in expected]


async def test_deletes_while_listing_are_harmless(state: State) -> None:
    for number in range(600):
        await write(state, f"owned/x/{number:04}/y", b"")
    seen = 0
    async for info in state.list("owned/x/"):
        await state.delete(info.name)
        seen += 1
    assert seen == 600
    assert await names(state) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        ".",
        "..",
        "a/..",
        "../a",
        "a/./b",
        "A",
        "é",
        "a b",
        "a\x00",
        "a\n",
    ],
)
async def test_an_invalid_name_is_refused(state: State, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        await write(state, f"owned/{name}", b"")
    with pytest.raises(ValueError, match="name"):
        await state.get(f"owned/{name}")
    with pytest.raises(ValueError, match="name"):
        await state.head(f"owned/{name}")
    with pytest.raises(ValueError, match="name"):
        await state.delete(f"owned/{name}")


async def test_a_list_that_races_with_deletes_shows_what_stays(state: State) -> None:
    """What is deleted meanwhile may be listed or not; the list never fails."""
    written = [f"owned/a/{number}/{leaf}" for number in range(5) for leaf in ("x", "y")]
    for name in written:
        await write(state, name, b"")
    seen: list[str] = []
    async for info in state.list("owned/"):
        if not seen:
            for name in written[1::2]:
                await state.delete(name)
            for leaf in ("x", "y"):  # with its directory
                await state.delete(f"owned/a/4/{leaf}")
        seen.append(info.name)
    assert set(written[0:8:2]) <= set(seen) <= set(written)
    assert seen == sorted(seen)
