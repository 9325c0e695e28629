"""The names of an asset's files, in the bucket and under the edge: ``<version>/q<quality>/<file>``.

Quality is a folder, so that a path token can allow some: ``q1`` is the lowest picture, ``q0`` has sound, subtitles and
thumbnails, which every token allows. Names never change their content.
"""

RECORDS = "assets/"
"""What the keys of all record objects begin with."""


def video_folder(version: str, quality: int) -> str:
    return f"{version}/q{quality}"


def video_playlist(version: str, quality: int) -> str:
    """HLS media playlist; its segments are ``init.mp4``, ``1.m4s``, ``2.m4s`` and so on in the same folder."""
    return f"{version}/q{quality}/playlist.m3u8"


def audio_playlist(version: str, name: str) -> str:
    """HLS media playlist; its segments are ``<name>-init.mp4``, ``<name>-1.m4s`` and so on in the same folder."""
    return f"{version}/q0/{name}.m3u8"


def thumbnail_sheet(version: str, number: int) -> str:
    """``number`` counts from 1."""
    return f"{version}/q0/thumbnails-{number}.jpg"


def thumbnail_track(version: str) -> str:
    """WebVTT whose cues name a sheet and a rectangle of it (``#xywh=``)."""
    return f"{version}/q0/thumbnails.vtt"


def record_object(title_id: str, seq: int) -> str:
    """The JSON object that gives an asset record its ``seq``: put if absent, before the record goes to Kafka."""
    return f"{record_objects(title_id)}{seq:08d}.json"


def record_objects(title_id: str) -> str:
    """What the keys of a title's record objects begin with."""
    return f"{RECORDS}{title_id}/"


def title_of(record_object: str) -> str:
    """The title in the key of a record object."""
    return record_object.removeprefix(RECORDS).rpartition("/")[0]
