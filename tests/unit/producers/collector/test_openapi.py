import re

from producers.collector import openapi
from schemas.events import EVENT_TYPES
from tests.unit.producers.collector.conftest import Collector


async def test_openapi_describes_what_a_client_sends(collector: Collector) -> None:
    document = (await collector.client.get("/openapi.json")).json()

    playback = document["components"]["schemas"]["PlaybackEvent"]
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]["/v1/events"]["post"]["responses"]) == {
        "200", "202", "400", "401", "403", "408", "413", "415", "431", "503",
    }  # fmt: skip
    assert playback["properties"]["seq"]["minimum"] == 0
    assert playback["properties"]["duration_ms"]["type"] == ["integer", "null"]
    assert playback["properties"]["title_class"]["enum"] == ["unknown", "film", "episode", "live", "trailer"]
    assert "seq" in playback["required"]
    assert "error_code" not in playback["required"]
    assert "received_at" not in playback["properties"]


def test_every_reference_in_openapi_leads_somewhere() -> None:
    document = openapi.document()
    references = set(re.findall(r"'\$ref': '#/([^']+)'", str(document)))

    for reference in references:
        place = document
        for name in reference.split("/"):
            place = place[name]
    assert len(references) == 11


def test_every_field_that_a_client_sets_is_documented() -> None:
    for family, event_type in EVENT_TYPES.items():
        documented = {field.name for field in openapi.fields(family)}
        assert documented == set(event_type.__struct_fields__) - {"sent_at", "received_at", "event_time", "start_time"}


async def test_the_page_needs_no_network(collector: Collector) -> None:
    page = (await collector.client.get("/docs")).text

    assert page.count("curl -i http://collector/v1/events") == 1 + len(EVENT_TYPES), "one, and one a family"
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "<script" not in page
