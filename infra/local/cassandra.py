"""Cassandra, one node. Ready when it answers a CQL OPTIONS frame."""

import socket

from infra.local import host, packages, template
from infra.local.program import LOOPBACK, Program
from infra.settings import Port, Settings

EXPORTS = (
    *("java.base/jdk.internal.misc", "java.base/java.lang.ref", "java.management.rmi/com.sun.jmx.remote.internal.rmi"),
    *("java.rmi/sun.rmi.registry", "java.rmi/sun.rmi.server", "java.sql/java.sql", "jdk.unsupported/sun.misc"),
    *("jdk.compiler/com.sun.tools.javac.file", "jdk.attach/sun.tools.attach"),
)
OPENS = (
    *("java.base/java.lang.module", "java.base/jdk.internal.loader", "java.base/jdk.internal.ref"),
    *("java.base/jdk.internal.reflect", "java.base/jdk.internal.math", "java.base/jdk.internal.module"),
    *("java.base/jdk.internal.util.jar", "java.base/sun.nio.ch", "java.base/java.io", "java.base/java.lang.reflect"),
    *("java.base/java.lang", "java.base/java.util", "jdk.management/com.sun.management.internal"),
    "jdk.compiler/com.sun.tools.javac",
)
OPTIONS_FRAME = bytes([4, 0, 0, 0, 5, 0, 0, 0, 0])  # protocol v4, no flags, stream 0, OPTIONS, empty body
SUPPORTED = 6


def program(settings: Settings) -> Program:
    folder = settings.folder / "cassandra"
    jars = packages.folder(settings.home, "cassandra")
    properties = {
        "cassandra.config": f"file://{folder}/cassandra.yaml",
        "cassandra.storagedir": folder / "data",
        "cassandra.logdir": folder / "data",
        "logback.configurationFile": f"file://{folder}/logback.xml",
        "cassandra.jmx.local.port": settings.port(Port.CASSANDRA_JMX),
        "cassandra-foreground": "yes",
        # a single node has nobody to wait for
        "cassandra.superuser_setup_delay_ms": 0,
        "cassandra.ring_delay_ms": 500,
        "cassandra.skip_wait_for_gossip_to_settle": 0,
        "jdk.attach.allowAttachSelf": "true",
        "io.netty.tryReflectionSetAccessible": "true",
        "java.security.manager": "allow",
    }

    def configure() -> None:
        template.write(
            "cassandra.yaml",
            folder / "cassandra.yaml",
            stack=settings.stack,
            host=LOOPBACK,
            port=settings.port(Port.CASSANDRA),
            storage_port=settings.port(Port.CASSANDRA_STORAGE),
        )
        template.write("logback.xml", folder / "logback.xml")

    return Program(
        name="cassandra",
        command=(
            host.java(),
            f"-Xms{settings.cassandra_heap}",
            f"-Xmx{settings.cassandra_heap}",
            f"-javaagent:{jars}/jamm-0.4.0.jar",
            *(f"-D{key}={value}" for key, value in properties.items()),
            *(f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTS),
            *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENS),
            "-cp",
            f"{jars}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ),
        ports=tuple(settings.port(port) for port in (Port.CASSANDRA, Port.CASSANDRA_STORAGE, Port.CASSANDRA_JMX)),
        is_ready=lambda: _answers(settings.port(Port.CASSANDRA)),
        configure=configure,
        package="cassandra",
    )


def _answers(port: int) -> bool:
    with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
        connection.sendall(OPTIONS_FRAME)
        header = connection.recv(9)
    return len(header) == 9 and header[4] == SUPPORTED
