"""``make bench-upload``: processor time of an upload compared with one plain ffmpeg command that makes its rungs.

Needs no engine. Both encode the same film; the plain command neither inspects, checks, packages nor makes thumbnails.
"""

import resource
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from domain.media.ladder import AUDIO_KBPS, Ladder, ladder
from infra import films
from infra.runtime.settings import Settings
from infra.video.inspect import inspect
from infra.video.ladders import prepare
from infra.video.programs import FFMPEG


def main(
    file: Annotated[Path | None, typer.Argument(help="A film; Big Buck Bunny's trailer by default.")] = None,
) -> None:
    """Seconds of processor time for each second of film."""
    path = file or films.fetch(Settings().home, print)
    with path.open("rb") as source, tempfile.TemporaryDirectory() as scratch:
        steps = ladder(inspect(source))
        before = _cpu_s()
        made = prepare(Path(scratch), "0" * 32, source, lambda _done, _of: None).package
        between = _cpu_s()
        subprocess.run(_plain(path, steps, Path(scratch)), check=True, capture_output=True)
        after = _cpu_s()
    seconds = made.duration_ms / 1000
    ours, plain = (between - before) / seconds, (after - between) / seconds
    print(f"{path.name}, {seconds:.1f} s: CPU seconds for each second of film")
    print(f"  upload        {ours:.3f}")
    print(f"  plain ffmpeg  {plain:.3f}")
    print(f"  ratio         {ours / plain:.2f}")


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _plain(path: Path, steps: Ladder, folder: Path) -> list[str]:
    names = "".join(f"[s{rung.quality}]" for rung in steps.rungs)
    scaled = [f"[s{rung.quality}]scale={rung.width}:{rung.height}[v{rung.quality}]" for rung in steps.rungs]
    graph = ";".join((f"[0:v:0]split={len(steps.rungs)}{names}", *scaled))
    command = [FFMPEG, "-v", "error", "-nostdin", "-i", str(path), "-filter_complex", graph]
    for rung in steps.rungs:
        rate = ("-crf", "23", "-maxrate", f"{rung.max_kbps}k", "-bufsize", f"{2 * rung.max_kbps}k")
        command += ["-map", f"[v{rung.quality}]", "-c:v", "libx264", "-preset", "veryfast", *rate]
        command += ["-g", str(steps.segment_frames), "-threads", "2", str(folder / f"plain-{rung.quality}.mp4")]
    sound = ("-map", "0:a:0?", "-c:a", "aac", "-b:a", f"{AUDIO_KBPS}k")
    return [*command, *sound, str(folder / "plain.m4a")] if steps.channels else command


if __name__ == "__main__":
    typer.run(main)
