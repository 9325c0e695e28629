"""A certificate that is not trusted, said in the same way of each engine."""

from schemas.errors import AccessDenied


def untrusted(engine: str, file: str, address: str, error: Exception) -> AccessDenied | None:
    """The certificate error, if ``error`` is one.

    ``file``: the setting that names the authority; ``address``: the setting with the server's names, and what they are
    to be, such as ``PLAYHEAD_MARIADB_HOSTS names that are``.
    """
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return None
    return AccessDenied(
        f"{engine}'s certificate is not trusted: {file} must contain its authority's certificate, and {address} in the "
        f"certificate ({error})"
    )
