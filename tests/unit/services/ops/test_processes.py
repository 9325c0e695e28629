import httpx

from services.ops.document import ProcessHealth
from services.ops.processes import ProcessMonitor, Target

LAKE = Target("lake", 1, "http://lake/metrics", "Puts.")


async def test_cpu_share_is_of_one_core_since_the_last_look_and_unknown_after_a_restart() -> None:
    cpu = iter((10.0, 10.5, 0.2))

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=f"process_start_time_seconds 100\nprocess_cpu_seconds_total {next(cpu)}\n")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        watch = ProcessMonitor(client, (LAKE,))
        looks = [(await watch.poll(at))[0] for at in (200_000, 201_000, 202_000)]
    assert looks[0] == ProcessHealth("lake", 1, "Puts.", up=True, uptime_seconds=100.0)
    assert [look.cpu_share for look in looks] == [None, 0.5, None]


async def test_of_several_outboxes_the_one_that_waits_longest_counts() -> None:
    line = 'playhead_outbox_oldest_seconds{{outbox="{}"}} {}\n'.format
    text = line("a", 3) + line("b", 9) + line("c", 1)
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=text))) as client:
        [relay] = await ProcessMonitor(client, (LAKE,)).poll(0)
    assert relay.unpublished_seconds == 9


async def test_a_process_that_does_not_answer_or_answers_with_an_error_is_down() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500))) as client:
        assert await ProcessMonitor(client, (LAKE,)).poll(0) == [ProcessHealth("lake", 1, "Puts.", up=False)]
