"""Configuration files from ``templates/``: ``$name`` is replaced, an unknown name is an error."""

from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).with_name("templates")


def write(template: str, target: Path, **values: object) -> None:
    """Fill a template. Only the owner may read the result, which can contain a password."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_text(Template((TEMPLATES / template).read_text()).substitute(values))
