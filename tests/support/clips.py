"""Video clips, made on the spot by ffmpeg."""

import subprocess
from pathlib import Path

from infra.video.programs import FFMPEG

SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def clip(
    path: Path,
    *options: str,
    size: str = "320x180",
    rate: str = "25",
    seconds: float = 4.4,
    sound: bool = True,
) -> Path:
    """A moving test pattern with noise and a tone. ``options`` come before the output."""
    pattern = f"testsrc2=size={size}:rate={rate}:duration={seconds},noise=c0s=8"
    inputs = ("-f", "lavfi", "-i", pattern, *(SOUND if sound else ()))
    command = (FFMPEG, "-v", "error", "-nostdin", "-y", *inputs, "-t", str(seconds), *X264, *options, str(path))
    subprocess.run(command, check=True, capture_output=True, text=True)
    return path
