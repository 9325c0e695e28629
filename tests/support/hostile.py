"""Files that are no film, or pretend to be one, and what each is refused for."""

import random
import struct
import zlib
from pathlib import Path

from domain.media.source import Reason
from tests.support.clips import clip


def hostile_files(folder: Path, url: str) -> dict[str, tuple[bytes, set[Reason]]]:
    """Bytes and possible reasons, by what the file is. ``url`` is an address that nobody must ask."""
    return {name: (body, {reason}) for name, (body, reason) in (_texts(url) | _headers(url)).items()} | _films(folder)


def _texts(url: str) -> dict[str, tuple[bytes, Reason]]:
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n"
    mpd = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT4S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
        f'bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>'
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><image href="{url}"/></svg>'
    texts = {
        "nothing but words": "It was a dark and stormy night.\n" * 50,
        "playlist of a local file": hls.format("file:///etc/passwd"),
        "playlist of a path upwards": hls.format("../../../../etc/passwd"),
        "playlist of an address": hls.format(url),
        "playlist of data": hls.format("data:video/mp4;base64,AAAA"),
        "playlist whose key is an address": hls.replace("#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF'),
        "playlist of a concat": hls.format(f"concat:{url}|file:///etc/passwd"),
        "playlist of a pipe": hls.format("pipe:0"),
        "MPD of an address": mpd,
        "list of files": "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "list of addresses": f"ffconcat version 1.0\nfile '{url}'\n",
        "session description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        "drawing": svg,
        "subtitles": "1\n00:00:00,000 --> 00:00:09,000\nHello\n",
        "WebVTT": "WEBVTT\n\n00:00.000 --> 00:09.000\nHello\n",
        "list of streams": f"[playlist]\nFile1={url}\nNumberOfEntries=1\n",
        "filter graph": f"movie={url}[out0]",
        "ffmetadata": ";FFMETADATA1\n[STREAM]\ntitle=x\n",
    }
    return {name: (text.encode(), "not a video") for name, text in texts.items()}


def _headers(url: str) -> dict[str, tuple[bytes, Reason]]:
    def raw(width: int, height: int, rate: str, frames: int = 2) -> bytes:
        frame = b"FRAME\n" + bytes(width * height * 3 // 2 if width < 999 else 0)
        return f"YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420jpeg\n".encode() + frame * frames

    ivf = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP90", 65535, 65535, 25, 1, 9, 0)
    png = b"\x89PNG\r\n\x1a\n" + _png("IHDR", struct.pack(">IIBBBBB", 65535, 65535, 8, 2, 0, 0, 0))
    segment = b"#EXTM3U\n#EXTINF:1,\n" + url.encode() + b"\nG" + bytes(187)
    reference = _atom("rmda", _atom("rdrf", bytes(4) + b"url " + struct.pack(">I", len(url)) + url.encode()))
    movie = _atom("ftyp", b"qt  \0\0\0\0qt  ") + _atom("moov", _atom("rmra", reference))
    return {
        "zeros": (bytes(65536), "not a video"),
        "noise": (random.Random(1).randbytes(65536), "not a video"),
        "compressed zeros": (zlib.compress(bytes(2**25), wbits=31), "not a video"),
        "picture of 65535 by 65535": (png + _png("IDAT", zlib.compress(bytes(2**22))), "not a video"),
        "film of 65535 by 65535": (ivf + bytes(4096), "no picture"),
        "raw film of 20000 by 20000": (raw(20_000, 20_000, "25:1"), "not a video"),
        "film of 8 by 8": (raw(8, 8, "25:1", 50), "picture too small"),
        "film of 640 by 64": (raw(640, 64, "25:1", 50), "picture too narrow"),
        "film of one frame": (raw(64, 64, "25:1", 1), "too short"),
        "film of one frame a day": (raw(64, 64, "1:86400", 9), "no frame rate"),
        "movie that refers to another": (movie, "no picture"),
        "movie of nested atoms": (_nested(20_000), "not a video"),
        "film of ten thousand tracks": (_tracks(10_000), "too many streams"),
        "segment after a playlist": (segment, "not a video"),
    }


def _films(folder: Path) -> dict[str, tuple[bytes, set[Reason]]]:
    """A real one, spoiled."""
    gap = ("-vf", "setpts='if(gt(N,20),N+300000,N)'", "-fps_mode", "passthrough", "-t", "99999")
    front = clip(folder / "front.mp4", "-movflags", "+faststart").read_bytes()
    plain = clip(folder / "plain.mp4", seconds=1).read_bytes()
    notes = folder / "notes.txt"
    notes.write_text("a secret\n" * 100)
    attached = ("-map", "1", "-attach", str(notes), "-metadata:s:t", "mimetype=text/plain")
    noise = random.Random(2).randbytes(len(front))
    body = front.index(b"mdat") + 8
    return {
        "film without its end": (front[: len(front) // 2], {"truncated", "damaged"}),
        "film without its index": (plain[: len(plain) // 2], {"not a video"}),
        "film of noise": (front[:body] + noise[body:], {"damaged", "not a video", "no frame rate"}),
        "film that lasts for months": (_slow(plain), {"no frame rate"}),
        "film with a gap of hours": (
            clip(folder / "gap.mkv", *gap, sound=False, seconds=1).read_bytes(),
            {"too much memory", "damaged"},
        ),
        "sound alone": (clip(folder / "sound.m4a", "-vn", seconds=1).read_bytes(), {"no picture"}),
        "sound with an attachment": (clip(folder / "s.mkv", *attached, seconds=1).read_bytes(), {"no picture"}),
    }


def _slow(movie: bytes) -> bytes:
    """Its table of times says that each frame lasts for days."""
    at = movie.index(b"stts") + 16
    return movie[:at] + struct.pack(">I", 2**31 - 1) + movie[at + 4 :]


def _png(kind: str, body: bytes) -> bytes:
    chunk = kind.encode() + body
    return struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))


def _atom(kind: str, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind.encode() + body


def _nested(depth: int) -> bytes:
    head = b"".join(struct.pack(">I", 8 * (depth - level)) + b"moov" for level in range(depth))
    return _atom("ftyp", b"isom\0\0\0\0isom") + head


def _tracks(count: int) -> bytes:
    """Matroska with this number of VP8 tracks."""

    def element(name: str, body: bytes) -> bytes:
        return bytes.fromhex(name) + (len(body) | 1 << 56).to_bytes(8, "big") + body

    size = element("b0", b"\1\0") + element("ba", b"\0\xf0")
    tracks = b"".join(
        element(
            "ae",
            element("d7", number.to_bytes(2, "big"))
            + element("73c5", number.to_bytes(2, "big"))
            + element("83", b"\1")
            + element("86", b"V_VP8")
            + element("e0", size),
        )
        for number in range(1, count + 1)
    )
    head = element("1a45dfa3", element("4282", b"matroska"))
    info = element("1549a966", element("2ad7b1", (10**6).to_bytes(3, "big")))
    return head + element("18538067", info + element("1654ae6b", tracks) + element("1f43b675", element("e7", b"\0")))
