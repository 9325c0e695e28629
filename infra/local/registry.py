"""Apicurio, a schema registry that speaks Confluent's API. Ready when it lists its subjects."""

from infra.local import jars, loopback, preflight
from infra.local.program import LOOPBACK, Program
from infra.runtime.settings import Port, Settings


def program(settings: Settings) -> Program:
    folder = settings.folder / "registry"
    port = settings.port(Port.REGISTRY)
    jar = jars.folder(settings.home, "registry") / "apicurio-registry-app-2.6.13.Final-runner.jar"
    return Program(
        name="registry",
        # The quick compiler starts it much faster on busy cores; it has little to do later.
        command=(preflight.java(), f"-Xmx{settings.registry_heap}", "-XX:TieredStopAtLevel=1", "-jar", str(jar)),
        ports=(port,),
        is_ready=lambda: loopback.is_well(f"http://{LOOPBACK}:{port}/apis/ccompat/v7/subjects"),
        environment={
            "QUARKUS_PROFILE": "prod",
            "QUARKUS_HTTP_HOST": LOOPBACK,
            "QUARKUS_HTTP_PORT": str(port),
            "REGISTRY_DATASOURCE_DB_KIND": "h2",
            # without WRITE_DELAY=0 a schema registered just before a kill is lost
            "REGISTRY_DATASOURCE_URL": f"jdbc:h2:file:{folder}/data/registry;WRITE_DELAY=0",
        },
        configure=lambda: (folder / "data").mkdir(parents=True, exist_ok=True),
        package="registry",
    )
