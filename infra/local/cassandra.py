"""Cassandra, one node or three. A node is ready when it answers a CQL OPTIONS frame."""

import socket
from collections.abc import Iterator

from infra.local import cassandra_cluster, jars, nodes, preflight, template
from infra.local.program import Program
from infra.runtime.settings import LOCAL_NODES, Port, Settings

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


def programs(settings: Settings) -> Iterator[Program]:
    yield from (_node(settings, node) for node in range(settings.cassandra_nodes))


def _node(settings: Settings, node: int) -> Program:
    name, address = nodes.name("cassandra", node, settings.cassandra_nodes), LOCAL_NODES[node]
    port, storage_port = settings.port(Port.CASSANDRA), settings.port(Port.CASSANDRA_STORAGE)
    folder = settings.folder / name
    jmx_port = settings.port(Port.CASSANDRA_JMX, node)
    classpath = jars.folder(settings.home, "cassandra")
    properties = {
        "cassandra.config": f"file://{folder}/cassandra.yaml",
        "cassandra.storagedir": folder / "data",
        "cassandra.logdir": folder / "data",
        "logback.configurationFile": f"file://{folder}/logback.xml",
        "cassandra.jmx.local.port": jmx_port,
        "cassandra-foreground": "yes",
        "cassandra.superuser_setup_delay_ms": 0,
        # a single node has no peers to wait for
        "cassandra.ring_delay_ms": 500 if settings.cassandra_nodes == 1 else 3000,
        "cassandra.skip_wait_for_gossip_to_settle": 0,
        "jdk.attach.allowAttachSelf": "true",
        "io.netty.tryReflectionSetAccessible": "true",
        "java.security.manager": "allow",
    }

    def configure() -> None:
        preflight.require_free_port(jmx_port, name)  # JMX listens on 127.0.0.1 for every node
        tokens = cassandra_cluster.tokens(node, settings.cassandra_nodes)
        template.write(
            "cassandra.yaml",
            folder / "cassandra.yaml",
            stack=settings.stack,
            host=address,
            port=port,
            storage_port=storage_port,
            seeds=",".join(f"{seed}:{storage_port}" for seed in LOCAL_NODES[: settings.cassandra_nodes]),
            num_tokens=len(tokens),
            tokens=",".join(map(str, tokens)),
        )
        template.write("logback.xml", folder / "logback.xml")

    return Program(
        name=name,
        command=(
            preflight.java(),
            f"-Xms{settings.cassandra_heap}",
            f"-Xmx{settings.cassandra_heap}",
            *settings.cassandra_java_options.split(),
            f"-javaagent:{classpath}/jamm-0.4.0.jar",
            *(f"-D{key}={value}" for key, value in properties.items()),
            *(f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTS),
            *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENS),
            "-cp",
            f"{classpath}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ),
        ports=(port, storage_port),
        host=address,
        is_ready=lambda: _is_ready(address, port),
        configure=configure,
        wait_for_peers=lambda: cassandra_cluster.wait_for_peers(settings),
        package="cassandra",
    )


def _is_ready(address: str, port: int) -> bool:
    with socket.create_connection((address, port), timeout=2) as connection:
        connection.sendall(OPTIONS_FRAME)
        header = connection.recv(9)
    return len(header) == 9 and header[4] == SUPPORTED
