from tests.unit.services.conftest import Services


async def test_a_published_day_is_handed_out_whole_with_a_policy_of_its_own(services: Services) -> None:
    services.dashboards.mkdir()
    (services.dashboards / "2026-03-02.html").write_text("<p>Monday")

    answer = await services.client.get("/dashboards/2026-03-02.html")

    assert (answer.status_code, answer.text) == (200, "<p>Monday")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_dashboards_lead_to_their_index(services: Services) -> None:
    answer = await services.client.get("/dashboards")
    assert (answer.status_code, answer.headers["location"]) == (307, "/dashboards/index.html")


async def test_before_the_first_day_it_is_said_what_makes_one(services: Services) -> None:
    answer = await services.client.get("/dashboards/index.html")
    assert answer.status_code == 404
    assert "playhead job tables dashboards" in answer.text


async def test_a_day_that_is_not_published_is_said_to_be_so(services: Services) -> None:
    answer = await services.client.get("/dashboards/2026-03-02.html")
    assert answer.status_code == 404
    assert "playhead job dashboards --date 2026-03-02" in answer.text


async def test_nothing_else_of_the_folder_is_handed_out(services: Services) -> None:
    services.dashboards.mkdir()
    (services.dashboards / "notes.html").write_text("private")
    for name in ("notes.html", "..%2Fdashboards%2Fnotes.html", ".2026-03-02.html.77"):
        answer = await services.client.get(f"/dashboards/{name}")
        assert answer.status_code in (400, 404), name
        assert "private" not in answer.text
