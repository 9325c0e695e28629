from domain.titles.catalogue import Catalogue, Title, read_titles


def test_titles_are_read_by_id_and_unknown_keys_are_left() -> None:
    lines = b'{"title_id":"ml-1","name":"Toy Story","year":1995,"country":"US"}\n{"title_id":"ml-2","name":"Fargo"}\n'
    assert read_titles(lines) == {
        "ml-1": Title("ml-1", "Toy Story", 1995),
        "ml-2": Title("ml-2", "Fargo"),
    }


def test_an_unknown_title_goes_by_its_id() -> None:
    assert Catalogue().title("ml-9").label == "ml-9"
