"""The object store, of the lake and of the videos: any S3 API with conditional puts."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from typing import ParamSpec, TypeVar
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailed
from mypy_boto3_s3 import S3Client
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from infra.engines.certificates import untrusted
from infra.runtime.settings import Settings
from schemas.errors import AccessDenied, TransientError

P = ParamSpec("P")
R = TypeVar("R")

_CONCURRENT_PUTS = 4


class ObjectStore:
    """Temporary errors are raised as TransientError, a missing key as KeyError."""

    def __init__(self, settings: Settings, bucket: str | None = None) -> None:
        """``bucket``: the lake's by default."""
        self._bucket = bucket or settings.lake_bucket
        self._s3 = _client(settings)

    def put_if_absent(
        self, key: str, body: bytes, metadata: Mapping[str, str], *, content_type: str = "", cache_control: str = ""
    ) -> bool:
        """False if the key exists, even if this call created it and the answer was lost."""
        headers = {"ContentType": content_type, "CacheControl": cache_control}

        def put() -> None:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentMD5=_digest(body),
                Metadata=metadata,
                IfNoneMatch="*",
                **{name: value for name, value in headers.items() if value},  # type: ignore[arg-type]
            )

        # 409: another conditional put on this key is in progress. Its outcome is known a moment later.
        conflict = retry_if_exception(lambda error: isinstance(error, ClientError) and _status(error) == 409)
        attempts = Retrying(
            retry=conflict, stop=stop_after_attempt(6), wait=wait_random_exponential(0.1, max=2), reraise=True
        )
        try:
            _translate_errors(attempts, put)
        except _Exists:
            return False
        return True

    def put(self, key: str, body: bytes) -> None:
        _translate_errors(self._s3.put_object, Bucket=self._bucket, Key=key, Body=body, ContentMD5=_digest(body))

    def head(self, key: str) -> dict[str, str]:
        """The object's metadata, names in lower case (some servers change them)."""
        answer = _translate_errors(self._s3.head_object, Bucket=self._bucket, Key=key)
        return {name.lower(): text for name, text in answer["Metadata"].items()}

    def get(self, key: str) -> bytes:
        return _translate_errors(lambda: self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())

    def fetch(self, key: str) -> tuple[dict[str, str], bytes]:
        """``head`` and ``get`` in one request."""

        def get() -> tuple[dict[str, str], bytes]:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
            return {name.lower(): text for name, text in answer["Metadata"].items()}, answer["Body"].read()

        return _translate_errors(get)

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys under the prefix, in order, strictly after ``start_after``."""
        yield from (key for key, _ in self.entries(prefix, start_after))

    def entries(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, str]]:
        """Like ``list``, with what the store calls the object's content (its ETag): it changes with each other body."""
        pages = iter(
            self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, StartAfter=start_after
            )
        )
        while (page := _translate_errors(next, pages, None)) is not None:
            yield from ((entry["Key"], entry["ETag"]) for entry in page.get("Contents", ()))

    def delete(self, key: str) -> None:
        _translate_errors(self._s3.delete_object, Bucket=self._bucket, Key=key)

    def ensure_bucket(self) -> None:
        try:
            _translate_errors(self._s3.create_bucket, Bucket=self._bucket)
        except _Exists:
            return


def prove_first_put_wins(store: ObjectStore) -> None:
    """Racing conditional puts on a scratch key must have exactly one winner, or the lake could repeat records.

    Raises RuntimeError if the server fails this check, TransientError if the outcome is unknown.
    """
    key = f"scratch/{uuid4()}"
    try:
        with ThreadPoolExecutor(_CONCURRENT_PUTS) as pool:
            created = list(
                pool.map(lambda n: store.put_if_absent(key, b"%d" % n, {"put": str(n)}), range(_CONCURRENT_PUTS))
            )
        if sum(created) == 0:
            raise TransientError("no put of the conditional put check was answered")
        if sum(created) > 1 or store.get(key) != b"%d" % created.index(True):
            raise RuntimeError(
                "several conditional puts (If-None-Match: *) on one key succeeded: the lake needs a store where "
                "exactly one does"
            )
    finally:
        store.delete(key)


class _Exists(Exception):
    """The key or bucket exists already."""


def _client(settings: Settings) -> S3Client:
    explicit_keys = settings.s3 is not None or settings.s3_access_key != Settings.model_fields["s3_access_key"].default
    return boto3.client(
        "s3",
        endpoint_url=settings.s3,
        region_name=settings.s3_region,
        # On AWS without explicit keys, boto3 searches its usual sources (role, profile, environment).
        aws_access_key_id=settings.s3_access_key if explicit_keys else None,
        aws_secret_access_key=settings.s3_secret_key.get_secret_value() if explicit_keys else None,
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
    """Lets the server verify the body: SeaweedFS keeps an empty object if the client dies between headers and body."""
    return b64encode(md5(body, usedforsecurity=False).digest()).decode()


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _translate_errors(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
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
            raise AccessDenied(
                f"S3 denies access: check PLAYHEAD_S3_ACCESS_KEY, PLAYHEAD_S3_SECRET_KEY and permissions ({error})"
            ) from error
        raise
    except (ConnectionFailed, HTTPClientError) as error:
        if denied := untrusted("S3", "AWS_CA_BUNDLE", "PLAYHEAD_S3_ENDPOINT a name that is", error):
            raise denied from error
        raise TransientError(
            f"S3 does not answer: check PLAYHEAD_S3_ENDPOINT, or the local stack with `playhead status` ({error})"
        ) from error
    except BotoCoreError as error:
        raise TransientError(str(error)) from error
