"""What a process must know of accounts to believe tokens: revocations and entitlements, followed from Kafka.

Each is also kept in a file of the process, so that one which starts with Kafka away knows what it knew.
"""

from domain.clock import system_clock
from domain.identity.entitlements import Entitlements
from domain.identity.revocations import Revocations
from domain.identity.tokens import Claims
from domain.identity.verifying import IsRevoked
from domain.metrics import Metrics
from infra.engines.kafka.follower import Follower
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas.errors import TransientError
from schemas.events import EntitlementRecord, RevocationRecord
from schemas.topics import CHANGE_TOPICS

SAVE_MS = 1_000
FollowedRevocations = Follower[Revocations[RevocationRecord]]
FollowedEntitlements = Follower[Entitlements[EntitlementRecord]]


def revocations(settings: Settings, registry: Registry, metrics: Metrics, process: str) -> FollowedRevocations:
    """Of the last 25 hours: the topic keeps no more. ``process``: the name of its folder.

    They are written at once: a process that is killed while Kafka is away knows them when it starts.
    """
    file = settings.folder / process / "revocations.json"
    topic = CHANGE_TOPICS["revocations"]
    return Follower(settings, registry, metrics, system_clock, topic, Revocations[RevocationRecord], file, SAVE_MS)


def entitlements(settings: Settings, registry: Registry, metrics: Metrics, process: str) -> FollowedEntitlements:
    file = settings.folder / process / "entitlements.json"
    topic = CHANGE_TOPICS["entitlements"]
    return Follower(settings, registry, metrics, system_clock, topic, Entitlements[EntitlementRecord], file)


def is_revoked(follower: FollowedRevocations) -> IsRevoked:
    """For a verifier. TransientError while nothing is known of revocations yet."""

    def check(claims: Claims) -> bool:
        if not follower.ready:
            raise TransientError("which tokens were revoked is not known yet")
        return follower.copy.covers(claims)

    return check
