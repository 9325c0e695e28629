import asyncio

import pytest

from producers.collector.byte_budget import ByteBudget, NoRoom


def budget(limit: int) -> tuple[ByteBudget, list[int]]:
    seen: list[int] = []
    return ByteBudget(limit, seen.append), seen


async def hold(budget: ByteBudget, size: int, until: asyncio.Event, patience: float = 60) -> None:
    with budget.room(patience) as room:
        await room.grow(size)
        await until.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_room_grows_with_what_comes_and_is_given_back() -> None:
    space, seen = budget(10)
    with space.room(0) as one, space.room(0) as other:
        await one.grow(4)
        await other.grow(5)
        await one.grow(1)
        assert seen == [4, 9, 10]
    assert seen == [4, 9, 10, 5, 0]


async def test_room_that_was_taken_for_the_worst_shrinks() -> None:
    space, seen = budget(10)
    with space.room(0) as room:
        await room.grow(9)
        room.shrink(3)
        room.shrink(5)
        assert seen == [9, 3]


async def test_who_finds_it_full_waits_in_line() -> None:
    space, seen = budget(10)
    leave = [asyncio.Event() for _ in range(3)]
    holders = [asyncio.create_task(hold(space, size, leave[i])) for i, size in enumerate((8, 5, 2))]
    await settle()
    assert seen == [8]  # the 2 would fit, but the 5 came before

    leave[0].set()
    await settle()
    assert seen[-1] == 7

    leave[1].set()
    leave[2].set()
    await asyncio.gather(*holders)
    assert seen[-1] == 0


async def test_who_has_waited_too_long_leaves_and_the_next_goes_in() -> None:
    space, seen = budget(10)
    leave = asyncio.Event()
    first = asyncio.create_task(hold(space, 8, leave))
    await settle()
    impatient = asyncio.create_task(hold(space, 5, leave, patience=0.01))
    small = asyncio.create_task(hold(space, 2, leave))

    with pytest.raises(NoRoom):
        await impatient
    await settle()
    assert seen[-1] == 10

    leave.set()
    await asyncio.gather(first, small)
    assert seen[-1] == 0


async def test_two_that_wait_for_each_other_s_room_end() -> None:
    space, seen = budget(10)

    async def grow_twice() -> None:
        with space.room(0.01) as room:
            await room.grow(5)
            await settle()
            await room.grow(5)

    ends = await asyncio.gather(grow_twice(), grow_twice(), return_exceptions=True)

    assert any(isinstance(end, NoRoom) for end in ends)
    assert seen[-1] == 0


async def test_a_cancelled_waiter_takes_no_room() -> None:
    space, seen = budget(10)
    leave = asyncio.Event()
    first = asyncio.create_task(hold(space, 8, leave))
    await settle()
    waiter = asyncio.create_task(hold(space, 5, leave))
    await settle()
    leave.set()
    await first  # gives its room to the waiter in this moment
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)

    assert seen[-1] == 0
