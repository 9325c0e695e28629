"""Complaints of real users about comparable systems: what comes in, and what members and on-call must see."""

import json

import pytest

from tests.support.field_cases import FOLDER, Replayed, Variant, variants


@pytest.mark.parametrize("variant", variants(), ids=lambda variant: variant.name)
async def test_what_the_field_sent_gives_its_right_values(variant: Variant) -> None:
    replayed = Replayed()
    for request in variant.requests:
        await replayed.send(request)
    await replayed.end(variant.quiet_ms)

    found = await replayed.values(variant.right)

    assert {name: found[name] for name in variant.right} == variant.right


def test_every_kind_of_complaint_has_cases_with_their_sources() -> None:
    cases = {file.stem: json.loads(file.read_text()) for file in FOLDER.glob("*.json")}
    assert sorted(name[:3] for name in cases) == [f"{number:03d}" for number in range(1, 11)]
    assert all(case["complaint"] and case["sources"] and case["variants"] for case in cases.values())
