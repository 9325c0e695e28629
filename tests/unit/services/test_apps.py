from domain.metrics import HTTP_REQUEST_SECONDS
from services.http.pages import HERE as SHARED
from services.ops.routes import HERE
from tests.unit.services.conftest import Services


async def test_the_history_api_is_alive_always_and_ready_while_cassandra_answers(services: Services) -> None:
    services.evening.away.add("cassandra")
    assert (await services.history.get("/livez")).status_code == 200
    assert (await services.history.get("/readyz")).status_code == 503
    services.evening.away.clear()
    assert (await services.history.get("/readyz")).json() == {"status": "ready"}


async def test_the_pages_are_ready_while_cassandra_is_away(services: Services) -> None:
    services.evening.away.add("cassandra")
    assert (await services.client.get("/livez")).json() == {"status": "alive"}
    assert (await services.client.get("/readyz")).json() == {"status": "ready"}


async def test_metrics_are_in_prometheus_format(services: Services) -> None:
    answer = await services.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "process_resident_memory_bytes" in answer.text


async def test_requests_are_counted_by_route_never_by_member(services: Services) -> None:
    await services.client.get("/members/ml-196")
    await services.client.get("/no/such/page")
    assert services.metrics.observed_labels(HTTP_REQUEST_SECONDS) == [
        ("/members/{profile_id:path}", 200),
        ("other", 404),
    ]


async def test_an_unknown_address_is_answered_in_the_one_error_format(services: Services) -> None:
    answer = await services.client.get("/no/such/page")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Nothing matches the given URI.",
        "code": "not_found",
    }


async def test_pages_may_load_from_here_only(services: Services) -> None:
    policy = (await services.client.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_no_page_speaks_of_another_host() -> None:
    for file in (
        file for folder in (HERE, SHARED) for kind in ("templates", "static") for file in folder.glob(f"{kind}/*")
    ):
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, file.name
        assert "https://" not in text, file.name
        assert "onclick" not in text, file.name


async def test_each_api_describes_itself_with_its_error_format(services: Services) -> None:
    support = (await services.client.get("/openapi.json")).json()
    assert list(support["paths"]) == ["/v1/profiles/{profile_id}/support"]
    api = (await services.history.get("/openapi.json")).json()
    assert list(api["paths"]) == [
        "/v1/profiles/{profile_id}/viewing-history",
        "/v1/profiles/{profile_id}/continue-watching",
        "/v1/profiles/{profile_id}/resume-point",
        "/v1/profiles/{profile_id}/recommendations",
        "/v1/profiles/{profile_id}/export",
    ]
    responses = api["paths"]["/v1/profiles/{profile_id}/viewing-history"]["get"]["responses"]
    assert responses["4XX"]["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "422" not in responses


async def test_everything_that_a_page_loads_is_there(services: Services) -> None:
    shared = ("/static/playhead.css", "/static/playhead.svg", "/static/page.js", "/static/docs.js", "/docs")
    for address in (*shared, "/assets/live.js", "/assets/echarts.min.js", "/posters/ml-50.svg"):
        assert (await services.client.get(address)).status_code == 200, address
    for address in shared:
        assert (await services.history.get(address)).status_code == 200, address


async def test_pages_link_to_the_other_service_by_its_port(services: Services) -> None:
    assert 'href="http://127.0.0.1:20003/docs"' in (await services.client.get("/")).text
    assert 'href="http://127.0.0.1:20002/members"' in (await services.history.get("/docs")).text


async def test_a_browser_that_wants_a_page_gets_the_error_as_a_page_but_never_from_the_api(services: Services) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    services.evening.away.add("cassandra")
    page = await services.client.get("/members/me/support", headers=browser)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "The data cannot be read now." in page.text
    assert "<nav" in page.text
    api = await services.client.get("/v1/profiles/me/support", headers=browser)
    assert api.json()["code"] == "unavailable"
