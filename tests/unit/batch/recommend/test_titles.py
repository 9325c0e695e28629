from batch.recommend.titles import Facts, decades, genres, read_catalogue

FACTS = {"a": Facts(2000, ("Drama",)), "b": Facts(None, ("Comedy", "Drama"))}


def test_a_catalogue_object_gives_facts_and_runtimes() -> None:
    found = read_catalogue(
        b'{"title_id":"a","name":"A","year":2000,"runtime_ms":6000,"genres":["Drama"],"country":"NL"}\n'
        b'{"title_id":"b","name":"B","year":null,"runtime_ms":0}\n'
    )
    assert found.facts == {"a": Facts(2000, ("Drama",)), "b": Facts()}
    assert found.runtimes == {"a": 6000}


def test_years_are_decades_from_1990() -> None:
    assert decades(("a", "b", "unheard of"), FACTS).tolist() == [1, 0, 0]


def test_a_title_has_one_vote_for_all_its_genres() -> None:
    votes = genres(("a", "b", "unheard of"), FACTS)
    assert votes.tolist() == [[0, 1], [0.5, 0.5], [0, 0]]
