"""Starting a play: ``POST /v1/playback``, then the manifests of that play, made for it alone.

A session is kept nowhere. Its path token says what it may fetch, and is a part of the manifests' addresses.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import uuid_utils
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from domain.identity.entitlements import may_play
from domain.identity.tokens import PLAY_AGE_MS, Entitlement, Member, PlaySession
from domain.media import files
from domain.media.path_token import PathToken
from domain.media.play import expiry_ms
from domain.media.playlists import DASH_TYPE, HLS_TYPE, mpd, multivariant_playlist
from domain.metrics import Metrics
from domain.slots.model import Stream
from domain.titles.catalogue import Catalogue
from schemas.events import Asset
from services.http.app import create_app as create_service
from services.http.errors import RESPONSES, Refusal
from services.http.identity import Identity, Token
from services.playback import examples, sign_in, watch
from services.playback.history import ResumePoints
from services.playback.messages import Play, PlayRequest, Resume
from services.playback.sign_in import TakeLink
from services.playback.streams import STREAMS_TAKEN, Lease, Streams, StreamState
from services.playback.watch import Sources, allowed, chosen

RESUME_WAIT_S = 0.15
MANIFEST_HEADERS = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True, slots=True)
class Playback:
    find: Callable[[str], Asset | None]
    """The newest asset record of a title."""
    ready: Callable[[], Awaitable[None]]
    """Raises TransientError while it is not known which assets exist."""
    resume_points: ResumePoints
    keys: Mapping[str, bytes]
    """Sign path tokens, by name. The first one signs."""
    edge: str
    """Address of the edge, for players."""
    identity: Identity
    entitlement: Callable[[Member], Entitlement]
    """What the member may do, by the newest news."""
    sign: Callable[[PlaySession], str]
    """Makes the token that reports a play."""
    streams: Streams
    now: Callable[[], int]
    """Milliseconds since the epoch."""


def create_app(
    playback: Playback,
    catalogue: Catalogue,
    sources: Sources,
    take_link: TakeLink,
    metrics: Metrics,
    origins: Collection[str] = (),
) -> FastAPI:
    """Web pages of ``origins`` may start plays."""
    pages = (
        watch.router(playback.find, playback.resume_points, playback.identity, catalogue, sources),
        examples.router(playback.find, playback.identity, catalogue, sources),
        *([sign_in.router(take_link, sources)] if sources.on_loopback else ()),
    )
    app = create_service(
        title="Playhead playback API",
        description="Starts plays: addresses of the video, where to resume, and the ids that their events carry.",
        routers=[router(playback, catalogue), *pages],
        page=watch.templates(sources),
        ready=playback.ready,
        metrics=metrics,
        origins=origins,
    )
    watch.mount_files(app)
    return app


def router(playback: Playback, catalogue: Catalogue) -> APIRouter:
    routes = APIRouter(prefix="/v1/playback", tags=["playback"], responses=RESPONSES)

    @routes.post("", summary="Start a play", responses=STREAMS_TAKEN)
    async def start(
        asked: PlayRequest,
        request: Request,
        token: Token,
        member: Annotated[Member, Depends(playback.identity.member())],
    ) -> Play:
        """For a member whose plan plays. 403 `not_for_profile`: the title's rating is above the profile's limit, or
        unknown. 404: the title has no video. 409: all streams of the plan are in use."""
        started_at = playback.now()
        profile_id = chosen(member, asked.profile_id)
        entitlement = playback.entitlement(member)
        if not may_play(entitlement, started_at):
            raise Refusal(
                HTTPStatus.FORBIDDEN, "no_plan", "Your plan does not play now. Your account's page says more."
            )
        allowed(member, profile_id, catalogue.title(asked.title_id))
        asset, stands_in = watch.shown(playback.find, asked.title_id)
        session = str(uuid_utils.uuid7())
        stream = Stream(session, profile_id, member.device_id, asked.device, asked.title_id)
        lease = await playback.streams.begin(member.account_id, entitlement.streams, stream, asked.instead_of)
        resume = await playback.resume_points.read(profile_id, asked.title_id, token, RESUME_WAIT_S)
        best = max(each.quality for each in asset.renditions)
        expires_at = expiry_ms(asset, started_at) // 1000
        name, secret = next(iter(playback.keys.items()))
        quality = min(asked.max_quality or best, best)
        path_token = PathToken(asset.version, session, expires_at, quality).signed(name, secret)
        base = _base(playback, path_token)
        here = f"{str(request.base_url).rstrip('/')}/v1/playback/{path_token}/{asked.title_id}"
        report = PlaySession(
            playback_session_id=session,
            account_id=member.account_id,
            profile_id=profile_id,
            title_id=asked.title_id,
            device_id=member.device_id,
            issued_at=started_at,
            expires_at=started_at + PLAY_AGE_MS,
            device=asked.device,
            streams=entitlement.streams,
            member_issued_at=member.issued_at,
        )
        return Play(
            playback_session_id=session,
            session_started_at=started_at,
            slot=lease.slot,
            renew_every_ms=lease.renew_every_ms,
            report_token=playback.sign(report),
            title_id=asked.title_id,
            profile_id=profile_id,
            hls_url=f"{here}/master.m3u8",
            dash_url=f"{here}/manifest.mpd",
            thumbnails_url=f"{base}/{files.thumbnail_track(asset.version)}" if asset.thumbnails else None,
            expires_at=expires_at * 1000,
            duration_ms=asset.duration_ms,
            resume=resume if resume.bookmark_ms < asset.duration_ms else Resume(bookmark_ms=0, known=True),
            credit=asset.credit,
            stands_in=stands_in,
        )

    @routes.post("/{playback_session_id}/state", summary="Report whether a play goes on", responses=STREAMS_TAKEN)
    async def report_state(
        playback_session_id: UUID,
        reported: StreamState,
        play: Annotated[PlaySession, Depends(playback.identity.play())],
    ) -> Lease:
        """By the play's `report_token`. 409: the play must end, since its slot is another stream's."""
        if str(playback_session_id) != play.playback_session_id:
            raise Refusal(HTTPStatus.FORBIDDEN, "not_yours", "This token is of another play.", "playback_session_id")
        stream = Stream(play.playback_session_id, play.profile_id, play.device_id, play.device, play.title_id)
        return await playback.streams.go_on(play.account_id, play.streams, stream, reported.state)

    @routes.get("/{token}/{title_id:path}/master.m3u8", summary="HLS multivariant playlist of a play")
    async def hls(token: str, title_id: str) -> Response:
        asset, claims = _opened(playback, token, title_id)
        content = multivariant_playlist(asset, _base(playback, token), claims.quality)
        return Response(content, media_type=HLS_TYPE, headers=MANIFEST_HEADERS)

    @routes.get("/{token}/{title_id:path}/manifest.mpd", summary="DASH manifest of a play")
    async def dash(token: str, title_id: str) -> Response:
        asset, claims = _opened(playback, token, title_id)
        content = mpd(asset, _base(playback, token), claims.quality)
        return Response(content, media_type=DASH_TYPE, headers=MANIFEST_HEADERS)

    return routes


def _base(playback: Playback, token: str) -> str:
    """Address under which the token opens files."""
    return f"{playback.edge}/t/{token}"


def _opened(playback: Playback, token: str, title_id: str) -> tuple[Asset, PathToken]:
    """The asset that a manifest is about, checked against the token in its address."""
    claims = PathToken.read(token, playback.keys)
    if claims is None:
        raise Refusal(HTTPStatus.FORBIDDEN, "bad_token", "This address was altered. Start the play again.")
    if claims.expires_at * 1000 <= playback.now():
        raise Refusal(HTTPStatus.FORBIDDEN, "expired", "This address has expired. Start the play again.")
    asset = watch.shown(playback.find, title_id).asset
    if claims.version != asset.version:
        raise Refusal(HTTPStatus.CONFLICT, "superseded", "The title has a newer video. Start the play again.")
    return asset, claims
