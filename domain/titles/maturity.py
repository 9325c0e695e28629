"""Which titles a profile may see: the one decision of every service that shows or plays titles."""

from domain.identity.tokens import MATURITIES
from domain.titles.catalogue import Title


def may_see(title: Title, limit: str) -> bool:
    """``limit``: the highest rating that the profile may see; empty: it may see everything.

    A title without a rating that we know is hidden from every profile with a limit, and a limit that we do not know
    hides everything: nobody sees too much because something is missing.
    """
    if not limit:
        return True
    if title.maturity not in MATURITIES or limit not in MATURITIES:
        return False
    return MATURITIES.index(title.maturity) <= MATURITIES.index(limit)
