"""The feature tables. A row holds what was known at one midnight, and nothing that came after it."""

from batch.tables.table_schemas import Column, TableSchema

WINDOW_DAYS = 28
VIEW_DAYS = (7, 14, 28, 90)
"""Windows in which a title's views are counted."""
ACTIVITY_DAYS = (1, 7, 28)
"""Windows in which a profile's plays are counted."""
DEFAULT_RUNTIME_MS = 90 * 60_000
"""Of a title whose length is unknown."""
MIN_VIEW_SHARE = 0.1
"""Less of a title is no view."""
NEWEST_TITLES = 10
"""How many of its newest titles represent what a profile likes now."""
POPULARITY_HALF_LIFE_DAYS = 14
TASTE_HALF_LIFE_DAYS = 90
SITTING_GAP_HOURS = 3

_AS_OF = Column(
    "as_of",
    "date",
    "The midnight (UTC) at which this day begins: only what had happened and was received before it counts. "
    "Before that midnight, the row holds what is known so far.",
    True,
)
_WINDOW = f"in the {WINDOW_DAYS} days before as_of"
_VIEW = f"a title of which the profile has watched {MIN_VIEW_SHARE:.0%} or more, dated by the first of its plays"


def _rates(whose: str) -> tuple[Column, ...]:
    of = f"{whose} {_WINDOW}, of plays of titles with a known length; null without any."
    return (
        Column("completion_rate_28d", "double", f"Share of plays that reached 90 % of the title, {of}", False),
        Column("early_exit_rate_28d", "double", f"Share of plays of less than {MIN_VIEW_SHARE:.0%}, {of}", False),
    )


PROFILE_FEATURES = TableSchema(
    "profile_features",
    "What was known of each profile at a midnight: how much, when and on what it watches, and its taste.",
    (
        Column("profile_id", "string", "The member profile.", True),
        _AS_OF,
        Column("country", "string", "Country of its newest play.", False),
        *(
            Column(f"plays_{days}d", "bigint", f"Presses of play in the {days} days before as_of, by last event.", True)
            for days in ACTIVITY_DAYS
        ),
        *(
            Column(f"watched_ms_{days}d", "bigint", f"Milliseconds watched in the plays of these {days} days.", True)
            for days in ACTIVITY_DAYS
        ),
        *_rates("of the profile"),
        Column(
            "plays_by_hour_28d", "map<int,bigint>", f"Hour of the week (UTC, 0: Monday 0:00) -> plays {_WINDOW}.", True
        ),
        Column("device_shares_28d", "map<string,double>", f"Kind of device -> share of plays {_WINDOW}.", True),
        Column(
            "longest_sitting_28d",
            "int",
            f"Most plays in a row {_WINDOW}, each ending within {SITTING_GAP_HOURS} hours of the one before.",
            True,
        ),
        Column("days_since_last", "double", "Days from the newest play's last event to as_of.", True),
        Column("watched_titles", "bigint", f"Views ever: {_VIEW}.", True),
        Column(
            "genre_shares",
            "map<string,double>",
            "Genre -> share of the views ever. A view has one vote, divided among its title's genres. The vote halves "
            f"every {TASTE_HALF_LIFE_DAYS} days. Empty if nothing is known.",
            True,
        ),
        Column("mean_release_year", "double", "Mean release year of the views ever; null if unknown.", False),
        Column("newest_titles", "array<string>", f"Titles of the {NEWEST_TITLES} newest views, newest first.", True),
    ),
    "as_of",
    ("as_of", "profile_id"),
)
TITLE_FEATURES = TableSchema(
    "title_features",
    "What was known at a midnight of each title that had been played: how popular it is, where, and how it is liked.",
    (
        Column("title_id", "string", "The title.", True),
        _AS_OF,
        Column("release_year", "int", "Year of release in the catalogue when the row was made.", False),
        Column("genres", "array<string>", "Genres in the catalogue when the row was made.", True),
        *(
            Column(
                f"views_{days}d",
                "double",
                f"Views in the {days} days before as_of ({_VIEW}), each weighted by the share watched, 1 at most.",
                True,
            )
            for days in VIEW_DAYS
        ),
        Column("viewers", "bigint", "Profiles with a view ever.", True),
        Column(
            "popularity",
            "double",
            f"Views ever, weighted by the share watched; the weight halves every {POPULARITY_HALF_LIFE_DAYS} days.",
            True,
        ),
        Column("popularity_by_country", "map<string,double>", "Country -> popularity among its views.", True),
        Column("views_28d_by_country", "map<string,double>", "Country -> its part of views_28d.", True),
        Column("trend", "double", "Views of 7 days over a fourth of those of 28; null without any.", False),
        Column("age_days", "double", "Days from the first view ever to as_of; null without any.", False),
        *_rates("of the title"),
        Column(
            "rebuffer_ratio_28d",
            "double",
            f"Milliseconds stalled over milliseconds stalled or watched, of its plays {_WINDOW}; null without any.",
            False,
        ),
    ),
    "as_of",
    ("as_of", "title_id"),
)
PAIR_FEATURES = TableSchema(
    "pair_features",
    "What was known at a midnight of a profile and a title that it has played, or has been shown in 28 days.",
    (
        Column("profile_id", "string", "The member profile.", True),
        Column("title_id", "string", "The title.", True),
        _AS_OF,
        Column("plays", "bigint", "Presses of play ever.", True),
        Column("watched_ms", "bigint", "Milliseconds watched in all of them.", True),
        Column("watched_share", "double", "Of the title's length (90 minutes if unknown); 1 at most.", True),
        Column("bookmark_ms", "bigint", "Position of its newest play; null if it was never played.", False),
        Column("first_watched_at", "timestamp", "Last event of its first play.", False),
        Column("last_watched_at", "timestamp", "Last event of its newest play.", False),
        Column("days_since", "double", "Days from the newest play's last event to as_of.", False),
        Column("country", "string", "Country of its newest play.", False),
        Column("impressions_28d", "bigint", f"Times it was shown to the profile {_WINDOW}.", True),
        Column("clicks_28d", "bigint", f"Times the profile opened it {_WINDOW}.", True),
    ),
    "as_of",
    ("as_of", "profile_id", "title_id"),
)
FEATURES = (PROFILE_FEATURES, TITLE_FEATURES, PAIR_FEATURES)
