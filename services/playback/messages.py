"""What a player asks of the playback service, and what it gets."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.http.parameters import Id


class PlayRequest(BaseModel):
    title_id: Annotated[Id, Field(description="1 to 64 bytes of UTF-8.", examples=["ml-50"])]
    profile_id: Annotated[Id | None, Field(description="Default: the profile of the token.", examples=["me"])] = None
    max_quality: int | None = Field(None, ge=1, description="Highest quality that the play may use; all by default.")
    device: str = Field(
        "", max_length=64, description="What people call the device.", examples=["TV in the living room"]
    )
    instead_of: UUID | None = Field(None, description="Another session of the account, which this start stops.")


class Resume(BaseModel):
    bookmark_ms: int = Field(description="Where to start; 0: at the beginning.")
    known: bool = Field(description="False when the history did not answer in time: start where you know, or at 0.")


class Play(BaseModel):
    playback_session_id: str = Field(description="UUIDv7: send it in each event of this play.")
    session_started_at: int = Field(
        description="Milliseconds since the epoch, by our clock. Clients with a clock send their own start."
    )
    slot: Literal["held", "uncounted"] = Field(
        description="uncounted: it plays, though it is not known how many streams the account has."
    )
    renew_every_ms: int = Field(description="Report the play's state this often, and whenever it changes.")
    report_token: str = Field(
        description="Reports this play, and nothing else: send it with the events of this play, or give it to a player "
        "that reports by CMCD. It holds for 24 hours."
    )
    title_id: str
    profile_id: str
    hls_url: str = Field(description="Multivariant playlist of this play.")
    dash_url: str = Field(description="MPD of this play.")
    thumbnails_url: str | None = Field(description="WebVTT whose cues name a part of a picture (`#xywh=`).")
    expires_at: int = Field(description="Milliseconds since the epoch: from then on every address above is refused.")
    duration_ms: int
    resume: Resume
    credit: str | None = Field(description="Who made the film, and its licence: show it with the picture.")
    stands_in: bool = Field(description="The title has no video; this is the clip of `demo-clip`.")
