"""Kafka, one KRaft node. Ready when it answers a metadata request."""

import subprocess

from infra.local import jars, preflight, template
from infra.local.program import LOOPBACK, Program, StackError
from infra.runtime.settings import Port, Settings

CLUSTER_ID = "cGxheWhlYWQtbG9jYWwtMQ"  # any 22 characters of base64


def program(settings: Settings) -> Program:
    folder = settings.folder / "kafka"
    properties = folder / "server.properties"
    java = (preflight.java(), "-cp", f"{jars.folder(settings.home, 'kafka')}/*")

    def configure() -> None:
        data = folder / "data"
        template.write(
            "server.properties",
            properties,
            host=LOOPBACK,
            port=settings.port(Port.KAFKA),
            controller_port=settings.port(Port.KAFKA_CONTROLLER),
            data=data,
        )
        template.write("log4j2.properties", folder / "log4j2.properties")
        if not (data / "meta.properties").exists():
            _format((*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties)))

    return Program(
        name="kafka",
        command=(
            *java[:1],
            f"-Xms{settings.kafka_heap}",
            f"-Xmx{settings.kafka_heap}",
            "-XX:TieredStopAtLevel=1",  # on a small machine the optimising compiler costs more than it saves
            f"-Dlog4j2.configurationFile={folder}/log4j2.properties",
            *java[1:],
            "kafka.Kafka",
            str(properties),
        ),
        ports=(settings.port(Port.KAFKA), settings.port(Port.KAFKA_CONTROLLER)),
        is_ready=lambda: _is_ready(settings),
        configure=configure,
        package="kafka",
    )


def _format(command: tuple[str, ...]) -> None:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        last = (run.stdout + run.stderr).strip().splitlines()[-1:]
        raise StackError(f"cannot format Kafka's storage: {' '.join(last)} – `playhead wipe` deletes it")


def _is_ready(settings: Settings) -> bool:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    from infra.engines.kafka.config import client_config

    client = AdminClient({**client_config(settings), "log_level": "0"})
    try:
        return bool(client.list_topics(timeout=1).brokers)
    except KafkaException:
        return False
