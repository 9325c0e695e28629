// Generated from schemas/avro by `make reference`.

export type DeviceType = "unknown" | "phone" | "tablet" | "tv" | "desktop" | "console" | "set_top_box" | "server";
export type TitleClass = "unknown" | "film" | "episode" | "live" | "trailer";
export type PlaybackEventType = "unknown" | "play_requested" | "first_frame" | "heartbeat" | "paused" | "resumed" | "seeked" | "rebuffer_started" | "rebuffer_ended" | "quality_changed" | "error" | "stopped" | "ended";
export type PlayerState = "unknown" | "starting" | "playing" | "paused" | "seeking" | "rebuffering" | "stopped";
export type UiAction = "unknown" | "view" | "impression" | "click" | "search" | "sign_in";
export type Level = "unknown" | "debug" | "info" | "warning" | "error";

/** What every event says of its client. */
export interface Envelope {
  /** UUIDv7 made once by the client; a retry keeps it, so repeats are recognised. */
  event_id: string;
  /** When it happened, by the client's own clock. Kept raw, never trusted for order. */
  client_time: number;
  /** Stable id of the device or installation, at most 64 bytes of UTF-8. */
  device_id: string;
  /** Kind of device. */
  device_type: DeviceType;
  /** Which client application, for instance 'android'. */
  app_name: string;
  /** Version of the client application. */
  app_version: string;
  /** ISO 3166-1 alpha-2 code of the country the client is in, upper case. */
  country: string;
  /** Account that pays; null in service events. */
  account_id?: string | null;
}

/** A playback session's cumulative state at one moment. The newest event alone (highest seq) gives the session's state. */
export interface PlaybackEvent extends Envelope {
  family: "playback";
  /** Member profile that is watching; the Kafka key and the history's partition. */
  profile_id: string;
  /** One press of play until its stop or timeout; a rewatch is a new session. */
  playback_session_id: string;
  /** Start of the session by the client's clock, the same in every event of the session. With seq it orders the session's events. */
  session_started_at: number;
  /** Sequence number within the session, from 0, strictly rising; a gap means that the client lost events. */
  seq: number;
  /** Title that is played. */
  title_id: string;
  /** What kind of title is played. */
  title_class: TitleClass;
  /** What happened. */
  event_type: PlaybackEventType;
  /** State of the player after the event. */
  player_state: PlayerState;
  /** How long the player has been in that state, in milliseconds. */
  state_since_ms: number;
  /** Position in the title, in milliseconds. */
  playhead_ms: number;
  /** Length of the title in milliseconds; null for live streams. */
  duration_ms?: number | null;
  /** Cumulative wall-clock time with the picture moving, in milliseconds. */
  watched_ms: number;
  /** Cumulative time paused, in milliseconds. */
  paused_ms: number;
  /** Play request to first frame in milliseconds, ads excluded; null until the first frame. */
  startup_time_ms?: number | null;
  /** Cumulative number of stalls after the first frame; neither startup nor seeking. */
  rebuffer_count: number;
  /** Cumulative time in those stalls, in milliseconds. */
  rebuffer_ms: number;
  /** Cumulative number of seeks. */
  seek_count: number;
  /** Video bitrate now, in kilobits a second. */
  bitrate_kbps?: number | null;
  /** Last error of the session; sticky. */
  error_code?: string | null;
  /** True once an error ended the session: a playback failure. */
  error_fatal: boolean;
  /** The impression that led to this play; null when there was none. */
  recommendation_id?: string | null;
}

/** An error that a client or service reports. It explains; only a playback event's error_fatal counts as a playback failure. */
export interface ErrorEvent extends Envelope {
  family: "error";
  /** Member profile that is watching; null in service events and before a profile is chosen. */
  profile_id?: string | null;
  /** Stable error code. */
  code: string;
  /** What went wrong, for a person. */
  message: string;
  /** True if the component could not go on. */
  fatal: boolean;
  /** Part of the client or service, for instance 'drm'. */
  component: string;
  /** Playback session it belongs to. */
  playback_session_id?: string | null;
  /** Stack trace. */
  stack?: string | null;
}

/** A member's action in the user interface. */
export interface UiEvent extends Envelope {
  family: "ui";
  /** Member profile that is watching; null in service events and before a profile is chosen. */
  profile_id?: string | null;
  /** What the member did. */
  action: UiAction;
  /** Page or screen where it happened. */
  page: string;
  /** Row on the page, from 0. */
  row?: number | null;
  /** Position in the row, from 0. */
  position?: number | null;
  /** Title shown or chosen. */
  title_id?: string | null;
  /** Text searched for; only with action search. */
  query?: string | null;
  /** Recommendation behind the title shown; joins an impression to a play. */
  recommendation_id?: string | null;
}

/** A troubleshooting record from a client or service. */
export interface DiagnosticEvent extends Envelope {
  family: "diagnostic";
  /** Member profile that is watching; null in service events and before a profile is chosen. */
  profile_id?: string | null;
  /** What is recorded. */
  name: string;
  /** Severity. */
  level: Level;
  /** Free details, name to value. */
  fields?: Record<string, string>;
}

export type ClientEvent = PlaybackEvent | ErrorEvent | UiEvent | DiagnosticEvent;
