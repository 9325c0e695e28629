from batch.recommend.titles import TitleMetadata, decades, genres

METADATA = {"a": TitleMetadata(2000, ("Drama",)), "b": TitleMetadata(None, ("Comedy", "Drama"))}


def test_years_are_decades_from_1990() -> None:
    assert decades(("a", "b", "unheard of"), METADATA).tolist() == [1, 0, 0]


def test_a_title_has_one_vote_for_all_its_genres() -> None:
    votes = genres(("a", "b", "unheard of"), METADATA)
    assert votes.tolist() == [[0, 1], [0.5, 0.5], [0, 0]]
