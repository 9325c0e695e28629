import { type Attachment, Lease, type Refusal, Reporter, type Terms, type Watching, now, redact } from "../../sdk/src/index.ts";
import { client, deviceName } from "./client.ts";
import { Controls, type Qualities } from "./controls.ts";
import { clock, element } from "./page.ts";

/** What `POST /v1/playback` answers. */
interface Play extends Terms {
  title_id: string;
  hls_url: string;
  thumbnails_url: string | null;
  duration_ms: number;
  resume: { bookmark_ms: number; known: boolean };
}

const TOAST_MS = 4_000;
const REASONS: Record<string, string> = {
  networkError: "The video could not be loaded. Check the connection; what was loaded so far has been played.",
  mediaError: "This browser could not decode the video.",
};

const player = element("player");
const video = element<HTMLVideoElement>("video");
const begin = element("start");
const { title = "", profile = "", collector = "", resume } = player.dataset;
const reporter = new Reporter(collector, "", client(profile)); // with the cookie of who is signed in
const controls = new Controls(toggle);
const library = import("hls.js");
let playing: Attachment | null = null;
let lease: Lease | null = null;
let destroy: () => void = () => {};

begin.addEventListener("click", toggle);
element("retry").addEventListener("click", () => void start(reached()));
video.addEventListener("waiting", () => buffering(true));
for (const name of ["playing", "pause", "ended"]) video.addEventListener(name, () => buffering(false));
video.addEventListener("ended", () => offer("Play again"));
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // its session ended when the page was left
});

/** A new play: of the whole title, from where it was left, or from `fromMs`; `insteadOf`: a session to be stopped. */
async function start(fromMs?: number, insteadOf?: string): Promise<void> {
  const pressedAt = performance.now();
  const startedAt = now(); // the clock of all other times in events
  begin.hidden = true;
  element("problem").hidden = true;
  buffering(true);
  destroy();
  playing?.stop();
  playing = null;
  await lease?.stop();
  const play = await ask(insteadOf);
  if (!play) return;
  const positionMs = fromMs ?? (play.resume.known ? play.resume.bookmark_ms : Number(resume ?? 0));
  playing = reporter.attach(
    video,
    {
      playback_session_id: play.playback_session_id,
      session_started_at: startedAt,
      title_id: play.title_id,
      title_class: "film",
      duration_ms: play.duration_ms,
    },
    { positionMs, pressedAt },
  );
  player.dataset.session = play.playback_session_id;
  lease = new Lease(video, play, (refusal) => refuse("This stream has stopped.", refusal));
  if (positionMs) toast(`Resumed at ${clock(positionMs / 1000)}`);
  await load(play, playing, positionMs / 1000).catch((error) => {
    playing?.fail("watch.load", String(error), true);
    fail("The player could not be loaded.", "Check the connection and reload the page.");
  });
}

/** Where the picture is, once there was one. */
function reached(): number | undefined {
  return video.currentTime * 1000 || undefined;
}

async function ask(insteadOf?: string): Promise<Play | null> {
  const body = JSON.stringify({ title_id: title, profile_id: profile, device: deviceName(), instead_of: insteadOf });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/v1/playback", { method: "POST", body, headers }).catch(() => null);
  const content = await answer?.json().catch(() => null);
  if (answer?.ok && content) return content as Play;
  if (content?.watching) refuse("All streams of your plan are in use.", content);
  else fail("This title cannot be played now.", content?.detail ?? "The service does not answer.");
  return null;
}

async function load(play: Play, attachment: Attachment, positionS: number): Promise<void> {
  const { default: Hls } = await library;
  if (!Hls.isSupported()) {
    video.onerror = () => fail("The video stopped.", REASONS[video.error?.code === 2 ? "networkError" : "mediaError"]!);
    video.src = `${play.hls_url}#t=${positionS}`; // Safari plays HLS by itself
    return run({ names: [], choose: () => {} }, play);
  }
  const hls = new Hls({ startPosition: positionS, enableWorker: false, capLevelToPlayerSize: true });
  destroy = () => hls.destroy();
  attachment.hls(hls as never);
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (data.fatal) fail("The video stopped.", REASONS[data.type] ?? redact(data.error.message));
  });
  hls.on(Hls.Events.MANIFEST_PARSED, (_, data) => {
    const names = data.levels.map((level) => `${level.height}p`);
    void run({ names, choose: (index) => (hls.nextLevel = index) }, play);
  });
  hls.on(Hls.Events.FRAG_BUFFERED, (_, { frag }) => {
    // hls.js misses the end if the last piece of sound is shorter than the encoder's priming (21 ms): help it.
    const last = hls.audioTracks[hls.audioTrack]?.details?.endSN;
    if (frag.type === "audio" && frag.sn === last) hls.trigger(Hls.Events.BUFFER_EOS, { type: "audio" });
  });
  hls.loadSource(play.hls_url);
  hls.attachMedia(video);
}

async function run(qualities: Qualities, play: Play): Promise<void> {
  void controls.begin(qualities, play.thumbnails_url);
  player.focus({ preventScroll: true });
  await video.play().catch((error: DOMException) => {
    if (error.name === "NotAllowedError") offer("Play");
  });
}

function toggle(): void {
  if (!element("problem").hidden) return;
  if (begin.hidden) video.paused ? void video.play() : video.pause();
  else if (playing && playing.session.state !== "stopped" && !video.ended) {
    begin.hidden = true; // the browser wanted a press first
    playing.pressed();
    void video.play();
  } else void start(video.ended ? 0 : reached()); // a play that is over has no slot, also where the member seeks back
}

function offer(text: string): void {
  begin.querySelector("span")!.textContent = text;
  begin.hidden = false;
  buffering(false);
}

/** Others have all slots: says who, and offers to stop one of them. */
function refuse(what: string, refusal: Refusal): void {
  playing?.stop();
  fail(what, refusal.code === "too_many_streams" ? "Stop one of them to watch here:" : refusal.detail);
  if (refusal.code === "too_many_streams") element("watching").replaceChildren(...(refusal.watching ?? []).map(stoppable));
}

function stoppable(stream: Watching): HTMLElement {
  const row = document.createElement("li");
  const since = new Date(stream.since).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const about = document.createElement("span");
  const name = document.createElement("b");
  name.textContent = stream.title;
  about.append(name, ` ${stream.profile_id} on ${stream.device}, since ${since}`);
  const stop = document.createElement("button");
  stop.type = "button";
  stop.textContent = "Stop watching there";
  stop.setAttribute("aria-label", `Stop watching ${stream.title} on ${stream.device}`);
  stop.addEventListener("click", () => void start(reached(), stream.playback_session_id));
  row.append(about, stop);
  return row;
}

function fail(what: string, why: string): void {
  destroy();
  void lease?.stop();
  video.pause();
  buffering(false);
  element("problem-title").textContent = what;
  element("problem-text").textContent = why;
  element("watching").replaceChildren();
  element("problem-session").textContent = player.dataset.session ?? "";
  element("problem-id").hidden = !player.dataset.session;
  element("problem").hidden = false;
}

function buffering(visible: boolean): void {
  element("buffering").hidden = !visible;
}

function toast(text: string): void {
  element("toast").textContent = text;
  element("toast").hidden = false;
  setTimeout(() => (element("toast").hidden = true), TOAST_MS);
}
