from infra.migrate import statements


def test_statements_end_at_a_semicolon_that_ends_a_line_and_comments_vanish() -> None:
    cql = """
    -- a table; with a comment
    CREATE TABLE a (id int PRIMARY KEY)  -- why
        WITH comment = 'one; two';

    CREATE TABLE b (id int PRIMARY KEY);
    """
    assert statements(cql) == [
        "CREATE TABLE a (id int PRIMARY KEY)  \n        WITH comment = 'one; two'",
        "CREATE TABLE b (id int PRIMARY KEY)",
    ]
