"""``playhead upload``, ``unpublish`` and ``film``: a file becomes the video of a title, and is one no longer."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from domain.media.source import Refused
from infra import films
from infra.datasets import DatasetError
from infra.engines.s3 import ObjectStore
from infra.runtime import logs
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, fail, print_error
from infra.stores.asset_publisher import RecordObjects, asset_publisher
from infra.video.sandbox import Network, available_network
from infra.video.upload import Uploaded
from infra.video.upload import upload as upload_file

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
STEPS = {"read": "Reading the file", "encode": "Encoding", "store": "Storing"}
TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
SANDBOX: dict[Network, str] = {
    "none": "The file was read in a sandbox without a network.",
    "allow-lists only": "The file was read in a sandbox, but this system lets no process be without a network: "
    "ffmpeg's allow-lists alone kept it from connecting.",
}
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@app.callback()
def videos() -> None:
    """Videos of titles."""


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="Any video that ffmpeg reads.", show_default=False)],
    title: Annotated[str, typer.Option(help="Title whose video it becomes, for example ml-50.", show_default=False)],
    credit: Annotated[str | None, typer.Option(help="Who made it, under which licence; shown with it.")] = None,
    language: Annotated[str, typer.Option(help="Language of the sound, such as en or pt-BR; und: not known.")] = "und",
) -> None:
    """Encode a video and make it a title's; exits 1 and says why if the file cannot be one."""
    _check_title("--title", title)
    if not LANGUAGE.fullmatch(language):
        fail(f"--language {language}: expected a tag such as en or pt-BR (RFC 5646)")
    settings = Settings()
    logs.configure("upload", "WARNING")
    try:
        uploaded = _upload(settings, file, title, credit, language)
    except Refused as refused:
        fail(f"{file.name!r} is refused. {refused.reason[0].upper()}{refused.reason[1:]}: {refused.detail}")
    asset = uploaded.asset
    heights = ", ".join(str(rendition.height) for rendition in asset.renditions)
    if uploaded.was_live:
        typer.echo(f"{title} has this video already: version {asset.version}, record {asset.seq}. Nothing was done.")
    else:
        typer.echo(f"{title} is live: version {asset.version}, {heights} lines, {asset.duration_ms / 1000:.1f} s.")
        typer.echo(SANDBOX[available_network()])


@app.command()
def unpublish(
    title: Annotated[str, typer.Argument(help="Title that shall have no video any more.", show_default=False)],
) -> None:
    """Take a title's video off; exits 1 if it has none. Plays that began before go on until their addresses end."""
    _check_title("TITLE", title)
    settings = Settings()
    logs.configure("unpublish", "WARNING")
    before = RecordObjects(ObjectStore(settings, settings.media_bucket)).newest(title)
    if before is None:
        fail(f"{title} has no video.")
    removed = asset_publisher(settings).remove(title)
    if removed.seq == before.seq:
        typer.echo(f"{title} was off already: record {removed.seq}. Nothing was done.")
    else:
        typer.echo(f"{title} is off: record {removed.seq}. Its files stay; upload the file again to bring it back.")


def _check_title(what: str, title: str) -> None:
    if not TITLE.fullmatch(title):
        fail(f"{what} {title}: expected 1 to 64 letters, digits and . _ ~ -, no mark first")


@app.command()
def film(
    whole: Annotated[bool, typer.Option("--whole", help="All ten minutes, not the trailer of 55 s.")] = False,
) -> None:
    """Fetch Big Buck Bunny, once, and print the path of its file: an example to upload.

    © Blender Foundation, CC BY 3.0.
    """
    wanted = films.WHOLE if whole else films.TRAILER
    typer.echo(films.fetch(Settings().home, lambda line: typer.echo(line, err=True), wanted))


def _upload(settings: Settings, file: Path, title: str, credit: str | None, language: str) -> Uploaded:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console, store = Console(stderr=True), ObjectStore(settings, settings.media_bucket)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, of: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(STEPS[step])
            bars.update(tasks[step], completed=done, total=of)

        return upload_file(
            file,
            title,
            home=settings.home,
            store=store,
            newest=RecordObjects(store).newest,
            publish=asset_publisher(settings).publish,
            credit=credit,
            language=language,
            progress=show,
        )


if __name__ == "__main__":
    with exit_with_message(print_error, DatasetError):
        app(prog_name="playhead")
