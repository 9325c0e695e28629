"""Configuration files from ``templates/``: ``$name`` is replaced, an unknown name is an error.

nginx has its own ``$names``: in a ``.conf`` it is ``%name``.
"""

from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).with_name("templates")


class _Nginx(Template):
    delimiter = "%"


def write(template: str, target: Path, **values: object) -> None:
    """Fill a template. Only the owner may read the result, which can contain a password."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    kind = _Nginx if template.endswith(".conf") else Template
    target.write_text(kind((TEMPLATES / template).read_text()).substitute(values))
