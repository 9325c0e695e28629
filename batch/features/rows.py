"""Events, sessions and titles -> the rows of the three feature tables. Pure: DataFrames to DataFrames."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

from batch.features.definitions import PAIR_FEATURES, PROFILE_FEATURES, TITLE_FEATURES
from batch.features.pair import pair_features, watched
from batch.features.point_in_time import sessions_as_of
from batch.features.profile import profile_features
from batch.features.title import title_features


@dataclass(frozen=True, slots=True)
class Inputs:
    """Rows of the tables that features are made from."""

    sessions_df: DataFrame
    playback_df: DataFrame
    """At least the events of all sessions with an event since the first midnight."""
    ui_df: DataFrame
    titles_df: DataFrame


def feature_rows(
    inputs: Inputs, as_ofs: Collection[date], keep: Callable[[DataFrame], DataFrame]
) -> dict[str, DataFrame]:
    """Table name -> its rows at these midnights. ``keep`` caches a DataFrame that several tables use."""
    known_df = keep(sessions_as_of(inputs.sessions_df, inputs.playback_df, as_ofs))
    watched_df = keep(watched(known_df, inputs.titles_df))
    return {
        PROFILE_FEATURES.name: profile_features(known_df, watched_df, inputs.titles_df),
        TITLE_FEATURES.name: title_features(known_df, watched_df, inputs.titles_df),
        PAIR_FEATURES.name: pair_features(watched_df, inputs.ui_df, as_ofs),
    }
