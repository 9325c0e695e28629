"""SeaweedFS: S3 and the Iceberg catalogue in one process. Ready when an object can be put and read."""

import json
import shutil
import sys
from pathlib import Path

from infra.local import template
from infra.local.program import LOOPBACK, Program
from infra.runtime.settings import Port, Settings

PROBE_BUCKET = "readiness"
PORTS = (Port.S3, Port.ICEBERG, Port.S3_MASTER, Port.S3_VOLUME, Port.S3_FILER)
GRPC_OFFSET = 10_000  # weed listens there, too, for each of its ports


def program(settings: Settings) -> Program:
    folder = settings.folder / "seaweedfs"
    ports = tuple(settings.port(port) for port in PORTS)
    s3, iceberg, master, volume, filer = ports

    def configure() -> None:
        template.write(
            "identities.json",
            folder / "identities.json",
            access_key=json.dumps(settings.s3_access_key),
            secret_key=json.dumps(settings.s3_secret_key.get_secret_value()),
            # The edge has no keys. Only this machine gets here, since it listens on the loopback address alone.
            anonymous=json.dumps([f"Read:{settings.media_bucket}"] if "video" in settings.parts else []),
        )
        (folder / "data").mkdir(parents=True, exist_ok=True)

    return Program(
        name="seaweedfs",
        command=(
            shutil.which("weed", path=Path(sys.executable).parent) or "weed",
            "-logtostderr=true",
            "mini",
            f"-dir={folder}/data",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            f"-master.port={master}",
            "-master.telemetry=false",
            f"-volume.port={volume}",
            f"-filer.port={filer}",
            f"-s3.port={s3}",
            f"-s3.port.iceberg={iceberg}",
            "-s3.port.lance=0",
            f"-s3.config={folder}/identities.json",
            f"-bucket={settings.lake_bucket},{PROBE_BUCKET}",
            f"-tableBucket={settings.iceberg_warehouse}",
            "-webdav=false",
            "-admin.ui=false",
        ),
        ports=(*ports, *(port + GRPC_OFFSET for port in ports)),
        is_ready=lambda: _is_ready(settings),
        configure=configure,
    )


def _is_ready(settings: Settings) -> bool:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    # Its port opens before reads work, so put an object and get it.
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{LOOPBACK}:{settings.port(Port.S3)}",
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        config=Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1}),
    )
    try:
        client.put_object(Bucket=PROBE_BUCKET, Key="probe", Body=b"ready")
        return client.get_object(Bucket=PROBE_BUCKET, Key="probe")["Body"].read() == b"ready"
    except (BotoCoreError, ClientError):
        return False
