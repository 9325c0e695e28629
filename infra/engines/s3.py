"""The object store behind the lake, by any S3 API that has conditional puts."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from typing import ParamSpec, TypeVar
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_s3 import S3Client
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from infra.runtime.settings import Settings
from schemas.errors import Refused, TransientError

P = ParamSpec("P")
R = TypeVar("R")

_RACERS = 4


class ObjectStore:
    """Errors that may pass by themselves come as TransientError; a missing key is a KeyError."""

    def __init__(self, settings: Settings) -> None:
        self._bucket = settings.lake_bucket
        self._s3 = _client(settings)

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """False when the key exists, also when a lost answer to this very call hid that it had made it."""

        def put() -> None:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentMD5=_digest(body),
                Metadata=metadata,
                IfNoneMatch="*",
            )

        # 409: another conditional put on this key is under way. Its outcome is known a moment later.
        conflict = retry_if_exception(lambda error: isinstance(error, ClientError) and _status(error) == 409)
        attempts = Retrying(
            retry=conflict, stop=stop_after_attempt(6), wait=wait_random_exponential(0.1, max=2), reraise=True
        )
        try:
            _translated(attempts, put)
        except _Exists:
            return False
        return True

    def put(self, key: str, body: bytes) -> None:
        _translated(self._s3.put_object, Bucket=self._bucket, Key=key, Body=body, ContentMD5=_digest(body))

    def head(self, key: str) -> dict[str, str]:
        """The object's metadata, names in lower case (some servers change them)."""
        found = _translated(self._s3.head_object, Bucket=self._bucket, Key=key)
        return {name.lower(): text for name, text in found["Metadata"].items()}

    def get(self, key: str) -> bytes:
        return _translated(lambda: self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys under the prefix, in order, strictly after ``start_after``."""
        pages = iter(
            self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, StartAfter=start_after
            )
        )
        while (page := _translated(next, pages, None)) is not None:
            yield from (found["Key"] for found in page.get("Contents", ()))

    def delete(self, key: str) -> None:
        _translated(self._s3.delete_object, Bucket=self._bucket, Key=key)

    def ensure_bucket(self) -> None:
        try:
            _translated(self._s3.create_bucket, Bucket=self._bucket)
        except _Exists:
            return


def prove_first_put_wins(store: ObjectStore) -> None:
    """Racing conditional puts on a scratch key must have exactly one winner, or the lake could repeat records.

    Raises RuntimeError on a server that fails this, TransientError when it cannot be told.
    """
    key = f"scratch/{uuid4()}"
    try:
        with ThreadPoolExecutor(_RACERS) as pool:
            won = list(pool.map(lambda n: store.put_if_absent(key, b"%d" % n, {"racer": str(n)}), range(_RACERS)))
        if sum(won) == 0:
            raise TransientError("no answer told who won the race")
        if sum(won) > 1 or store.get(key) != b"%d" % won.index(True):
            raise RuntimeError(
                "the object store lets several conditional puts (If-None-Match: *) on one key succeed: "
                "the lake needs a store where exactly one does"
            )
    finally:
        store.delete(key)


class _Exists(Exception):
    """The key or bucket is there already."""


def _client(settings: Settings) -> S3Client:
    own_keys = settings.s3 is not None or settings.s3_access_key != Settings.model_fields["s3_access_key"].default
    return boto3.client(
        "s3",
        endpoint_url=settings.s3,
        region_name=settings.s3_region,
        # On Amazon, without keys of one's own, boto3 looks where it always does (role, profile, environment).
        aws_access_key_id=settings.s3_access_key if own_keys else None,
        aws_secret_access_key=settings.s3_secret_key.get_secret_value() if own_keys else None,
        config=Config(
            connect_timeout=3,
            read_timeout=15,
            retries={"mode": "standard", "total_max_attempts": 2},
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _digest(body: bytes) -> str:
    """For the server to check: SeaweedFS keeps an empty object when its writer dies between headers and body."""
    return b64encode(md5(body, usedforsecurity=False).digest()).decode()


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _translated(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return call(*args, **kwargs)
    except ClientError as error:
        status, code = _status(error), error.response["Error"]["Code"]
        if status == 412 or code in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise _Exists from error
        if status == 404:
            raise KeyError(str(error)) from error
        if status >= 500 or status in (408, 409, 429):
            raise TransientError(str(error)) from error
        if status in (401, 403):
            raise Refused(
                f"S3 refuses: check PLAYHEAD_S3_ACCESS_KEY and PLAYHEAD_S3_SECRET_KEY, and what they may do ({error})"
            ) from error
        raise
    except BotoCoreError as error:
        raise TransientError(str(error)) from error
