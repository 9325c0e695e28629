from collections import Counter

import pytest

from domain.cmcd.line import Unusable, read
from tests.support import cmcd

HEAD = 'cid="ml-50",sid="s",sn=1,ts=1796025047409,v=2'


def test_a_line_is_read_with_its_values() -> None:
    line = read(f'br=(900;v 96;a),e=ps,sta=p,com.playhead-pos=1200,ec=("x" "y"),rc=404,ttfb=3,{HEAD}')

    assert (line.event, line.session, line.number, line.time) == ("ps", "s", 1, 1796025047409)
    assert (line.content, line.state, line.bitrate_kbps, line.error) == ("ml-50", "p", 900, "x")
    assert (line.position_ms, line.status, line.first_byte_ms, line.last_byte_ms) == (1200, 404, 3, None)
    assert line.deviations == ()


@pytest.mark.parametrize(
    ("members", "deviations"),
    [
        ("e=ps,sta=w", ("unknown_state",)),
        ("e=ps,sta=x", ("unknown_state",)),
        ("e=ps", ("no_state",)),
        ("e=zz", ("unknown_event",)),
        ("e=e,sta=f", ("error_without_code",)),
        ("e=e,ec=25", ("not_a_list",)),
        ("e=rr,br=96,bl=4", ("not_a_list",)),
        ("e=rr,ttfb=1795506938012", ("out_of_range",)),
        ("e=rr,br=(1000001)", ("out_of_range",)),
        ("e=rr,br=(-1;v 5;a)", ("out_of_range",)),
        ('e=rr,br=("high")', ("wrong_type",)),
        ("e=rr,rc=1000", ("out_of_range",)),
        ("e=rr,com.playhead-pos=-1", ("out_of_range",)),
        ("e=rr,rc=ok", ("wrong_type",)),
    ],
)
def test_a_deviation_is_named_and_costs_nothing(members: str, deviations: tuple[str, ...]) -> None:
    assert read(f"{members},{HEAD}").deviations == deviations


@pytest.mark.parametrize(("key", "most"), [("sn", 200_000), ("ts", 4_102_444_800_000)])
def test_a_number_or_time_that_cannot_be_is_taken_for_none(key: str, most: int) -> None:
    def of(value: int) -> tuple[int | None, tuple[str, ...]]:
        line = read(f'cid="ml-50",e=rr,sid="s",v=2,{"ts" if key == "sn" else "sn"}=1,{key}={value}')
        return (line.number if key == "sn" else line.time), line.deviations

    assert of(most) == (most, ())
    assert of(most + 1) == (None, ("out_of_range",))


def test_what_is_missing_is_named() -> None:
    assert read('e=rr,sid="s"').deviations == ("wrong_version", "no_number", "no_time", "no_content")


@pytest.mark.parametrize(
    ("line", "code"),
    [("e=t,,", "malformed"), ("é=1", "malformed"), ("e=t,v=2", "no_session"), ("sid=1,e=t", "no_session"),
     (f'e=t,sid="{"x" * 65}"', "no_session"), (f'e=t,sid="s",url="{"x" * 8192}"', "too_long"),
     ('sid="s",v=2', "no_event")],
)  # fmt: skip
def test_a_line_that_names_no_play_or_no_event_is_no_use(line: str, code: str) -> None:
    with pytest.raises(Unusable) as refusal:
        read(line)
    assert refusal.value.code == code


def test_the_players_deviate_each_in_its_way() -> None:
    found = {}
    for name in cmcd.NAMES:
        if name.endswith("without-keys"):
            continue
        deviations = Counter(each for text in cmcd.lines(name) for each in read(text).deviations)
        found[name] = dict(deviations)

    assert found == {
        "dash.js-missing-manifest": {"no_state": 1, "not_a_list": 5},
        "dash.js-play": {"no_state": 1, "unknown_state": 2, "out_of_range": 9},
        "hls.js-missing-manifest": {"no_state": 1},
        "hls.js-play": {"no_state": 1},
        "shaka-player-play": {"no_state": 7},
    }


def test_without_its_keys_dash_js_names_no_play() -> None:
    for text in cmcd.lines("dash.js-without-keys"):
        with pytest.raises(Unusable, match="sid must be"):
            read(text)
