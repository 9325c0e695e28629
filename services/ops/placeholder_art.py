"""A drawn tile for a title without artwork. Its colours and shapes come from the id, so they never change."""

from hashlib import sha256
from html import escape
from math import cos, pi, sin

from domain.titles.catalogue import Title

WIDTH, HEIGHT = 320, 180
_SMALL_WORDS = frozenset({"a", "an", "and", "de", "der", "die", "in", "la", "le", "of", "on", "the", "to"})


def initials(name: str) -> str:
    """Up to three initials, without small words: ``The Silence of the Lambs`` -> ``SL``."""
    words = [word.strip("()[],.:;!?'\"") for word in name.split()]
    matter = [word for word in words if word and word.lower() not in _SMALL_WORDS] or [w for w in words if w]
    return "".join(word[0] for word in matter[:3]).upper()


def draw(title: Title) -> str:
    """SVG text, 16:9."""
    seed = sha256(title.title_id.encode()).digest()
    hue, turn = seed[0] * 360 // 256, 30 + seed[1] % 50
    letters = escape(initials(title.name)) if title.name else "▶"
    year = f'<text x="20" y="162" font-size="15" opacity=".75">{title.year}</text>' if title.year else ""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<title>{escape(title.label)}</title>
<defs>
<linearGradient id="g" x1="0" y1="0" x2="1" y2="1">
<stop offset="0" stop-color="hsl({hue} 52% 36%)"/><stop offset="1" stop-color="hsl({(hue + turn) % 360} 58% 17%)"/>
</linearGradient>
<radialGradient id="l" cx=".78" cy=".1" r=".9">
<stop offset="0" stop-color="hsl({(hue - turn) % 360} 85% 72%)" stop-opacity=".55"/><stop offset="1" stop-opacity="0"/>
</radialGradient>
</defs>
<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#g)"/>
{_shapes(seed)}
<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#l)"/>
<g fill="#fff" font-family="Georgia, 'Times New Roman', serif">
<text x="18" y="122" font-size="64" font-weight="700" letter-spacing="-2">{letters}</text>{year}
</g>
</svg>"""


def _shapes(seed: bytes) -> str:
    """One of three motifs: rings, a skyline, or rays; placed by the seed."""
    motif, at = seed[2] % 3, seed[3] / 255
    if motif == 0:
        middle = f'cx="{190 + 110 * at:.0f}" cy="{40 + seed[4] % 100}"'
        return "".join(
            f'<circle {middle} r="{radius}" fill="none" stroke="#fff" stroke-opacity=".13" '
            f'stroke-width="{2 + seed[5] % 9}"/>'
            for radius in range(24, 220, 26)
        )
    if motif == 1:
        return "".join(
            f'<rect x="{120 + n * 22}" y="{HEIGHT - 30 - seed[6 + n] % 110}" width="17" height="150" fill="#fff" '
            f'fill-opacity="{0.05 + seed[16 + n] % 9 / 100:.2f}"/>'
            for n in range(9)
        )
    x, y = 330.0, -10 + 200 * at
    points = [(x + 420 * cos(angle), y + 420 * sin(angle)) for angle in (pi / 2 + pi * n / 14 + at for n in range(28))]
    return "".join(
        f'<polygon points="{x:.0f},{y:.0f} {a[0]:.0f},{a[1]:.0f} {b[0]:.0f},{b[1]:.0f}" fill="#fff" '
        'fill-opacity=".07"/>'
        for a, b in zip(points[::2], points[1::2], strict=True)
    )
