from batch.recommend.titles import Facts, decades, genres

FACTS = {"a": Facts(2000, ("Drama",)), "b": Facts(None, ("Comedy", "Drama"))}


def test_years_are_decades_from_1990() -> None:
    assert decades(("a", "b", "unheard of"), FACTS).tolist() == [1, 0, 0]


def test_a_title_has_one_vote_for_all_its_genres() -> None:
    votes = genres(("a", "b", "unheard of"), FACTS)
    assert votes.tolist() == [[0, 1], [0.5, 0.5], [0, 0]]
