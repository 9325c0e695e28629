"""An upload on a real object store: whole, repeated, killed, refused."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from domain.media.files import audio_playlist, video_playlist
from domain.media.source import Refused
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from infra.stores.asset_publisher import RecordObjects, asset_publisher
from infra.video.programs import FFMPEG
from infra.video.upload import Uploaded, upload
from tests.support.builders import asset
from tests.support.clips import clip
from tests.support.pipeline import playhead

KILLED_UPLOAD = """
import os, signal, sys
from pathlib import Path
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from infra.stores.asset_publisher import RecordObjects, asset_publisher
from infra.video.upload import upload

path, title, home, step = sys.argv[1:]
store = ObjectStore(Settings(), Settings().media_bucket)

def progress(now, done, of):
    if now == step and done > 2:
        os.kill(os.getpid(), signal.SIGKILL)

upload(Path(path), title, home=Path(home), store=store, newest=RecordObjects(store).newest,
       publish=asset_publisher(Settings()).publish, progress=progress)
"""


@pytest.fixture
def store(stack: Settings) -> ObjectStore:
    store = ObjectStore(stack, stack.media_bucket)
    store.ensure_bucket()
    return store


def uploaded(store: ObjectStore, path: Path, title: str, home: Path, language: str = "und") -> Uploaded:
    newest, publish = RecordObjects(store).newest, asset_publisher(Settings()).publish
    return upload(path, title, home=home, store=store, newest=newest, publish=publish, language=language)


def test_a_clip_becomes_a_ladder_whose_every_segment_plays(stack: Settings, store: ObjectStore, tmp_path: Path) -> None:
    path = clip(tmp_path / "-y\n..", "-f", "mp4", seconds=4.4)
    asset = uploaded(store, path, "whole", tmp_path, language="en").asset
    assert (asset.seq, asset.status, asset.duration_ms, asset.segment_ms) == (1, "live", 4400, 4000)
    assert asset.source_digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [(each.quality, each.width, each.height) for each in asset.renditions] == [
        (1, 160, 90),
        (2, 214, 120),
        (3, 320, 180),
    ]
    assert {(each.frames, each.frame_rate) for each in asset.renditions} == {(110, 25.0)}
    assert [(each.name, each.language, each.codec) for each in asset.audio] == [("main", "en", "mp4a.40.2")]
    assert asset.thumbnails is not None
    assert asset.thumbnails.count == 2

    copy = tmp_path / "bucket"
    for key in store.list(f"{asset.version}/"):
        (copy / key).parent.mkdir(parents=True, exist_ok=True)
        (copy / key).write_bytes(store.get(key))
    for quality in (1, 2, 3):
        assert decoded_frames(copy / video_playlist(asset.version, quality)) == 110
    assert (copy / audio_playlist(asset.version, "main")).read_text().count("main-2.m4s") == 1

    s3 = boto3.client(
        "s3",
        endpoint_url=stack.s3,
        region_name=stack.s3_region,
        aws_access_key_id=stack.s3_access_key,
        aws_secret_access_key=stack.s3_secret_key.get_secret_value(),
    )
    segment = s3.head_object(Bucket=stack.media_bucket, Key=f"{asset.version}/q1/1.m4s")
    assert segment["ContentType"] == "video/iso.segment"
    assert segment["CacheControl"] == "public, max-age=31536000, immutable"

    again = uploaded(store, path, "whole", tmp_path, language="en")
    assert (again.was_live, again.asset) == (True, asset)
    corrected = uploaded(store, path, "whole", tmp_path, language="de").asset
    assert (corrected.seq, corrected.version) == (2, asset.version)


@pytest.mark.parametrize("step", ["encode", "store"])
def test_a_killed_upload_is_completed_by_the_next_one(store: ObjectStore, tmp_path: Path, step: str) -> None:
    path = clip(tmp_path / "clip.mp4", sound=False, seconds=1 if step == "encode" else 1.2)
    title, home = f"killed-{step}", tmp_path / "home"
    arguments = [sys.executable, "-c", KILLED_UPLOAD, str(path), title, str(home), step]
    killed = subprocess.run(arguments, check=False, capture_output=True, text=True, env=dict(os.environ))
    assert killed.returncode == -9, killed.stderr
    assert list(store.list(f"assets/{title}/")) == []
    asset = uploaded(store, path, title, home).asset
    assert asset.audio == ()
    assert list(store.list(f"assets/{title}/")) == [f"assets/{title}/00000001.json"]
    assert sorted(each.name for each in (home / "media").iterdir()) == [".lock", asset.version]


def test_a_refused_file_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    before = list(store.list(""))
    (tmp_path / "words.mp4").write_text("no film")
    with pytest.raises(Refused, match="not a video"):
        uploaded(store, tmp_path / "words.mp4", "refused", tmp_path / "home")
    assert list(store.list("")) == before
    assert [each.name for each in (tmp_path / "home/media").iterdir()] == [".lock"]


def test_the_command_says_why_a_file_is_refused(stack: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    command = [sys.executable, "-m", "infra.cli", "upload", str(tmp_path / "empty.mp4"), "--title", "ml-1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "'empty.mp4' is refused. Empty: the file has no bytes\n")


def test_the_command_takes_a_title_off_once(stack: Settings, store: ObjectStore) -> None:
    title = f"off-{uuid4()}"
    assert "has no video" in playhead("unpublish", title).stderr
    live = asset_publisher(stack).publish(asset(title))
    first, second = (playhead("unpublish", title) for _ in range(2))
    assert (first.returncode, first.stdout) == (
        0,
        f"{title} is off: record 2. Its files stay; upload the file again to bring it back.\n",
    )
    assert second.stdout == f"{title} was off already: record 2. Nothing was done.\n"
    newest = RecordObjects(store).newest(title)
    assert newest is not None
    assert (newest.seq, newest.status, newest.version) == (2, "removed", live.version)


def decoded_frames(playlist: Path) -> int:
    """Of every segment, in order; any complaint of the decoder fails."""
    command = [FFMPEG, "-v", "error", "-allowed_extensions", "ALL", "-i", str(playlist), "-f", "framemd5", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return sum(not line.startswith("#") for line in done.stdout.splitlines())
