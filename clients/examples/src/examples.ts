import { type ClientEvent, Lease, Reporter, now } from "../../sdk/src/index.ts";
import { client, deviceName } from "../../watch/src/client.ts";
import { element } from "../../watch/src/page.ts";
import type { Begin, Play } from "./play.ts";
import { watchLines } from "./sent.ts";

const MOST_ROWS = 200;
const LIBRARIES: Record<string, { version: string; load: () => Promise<{ begin: Begin }> }> = {
  plain: { version: "", load: () => import("./plain.ts") },
  hls: { version: "hls.js/1.7.4", load: () => import("./hls.ts") },
  dash: { version: "dash.js/5.2.1", load: () => import("./dash.ts") },
  shaka: { version: "shaka-player/5.2.12", load: () => import("./shaka.ts") },
};

const page = element("example");
const video = element<HTMLVideoElement>("video");
const { title = "", profile = "", collector = "", player = "", report = "" } = page.dataset;
const library = LIBRARIES[player]!;
const who = client(profile);
const reporter = new Reporter(collector, "", who);

watchLines(collector, (line) => row("CMCD", line));
video.addEventListener("playhead", ({ detail }: CustomEventInit<ClientEvent>) => row("SDK", told(detail!)));
element("start").addEventListener("click", () => void start());
setInterval(() => (element("waiting").textContent = String(reporter.queue.size)), 200);

async function start(): Promise<void> {
  const [startedAt, pressedAt] = [now(), performance.now()];
  element("start").hidden = true;
  const body = JSON.stringify({ title_id: title, profile_id: profile, device: deviceName() });
  const answer = await fetch("/v1/playback", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (!answer.ok) return row("page", (await answer.json()).detail);
  const play = (await answer.json()) as Play;
  page.dataset.session = play.playback_session_id;
  new Lease(video, play, (refusal) => {
    video.pause();
    row("page", refusal.detail);
  });
  const attachment = report === "cmcd" ? null : reporter.attach(video, sessionOf(play, startedAt), { positionMs: 0, pressedAt });
  const { begin } = await library.load();
  await begin(video, play, { attachment, cmcd: report === "sdk" || !library.version ? null : target(play) }).catch((error) =>
    row("page", String(error)),
  );
}

function sessionOf(play: Play, session_started_at: number) {
  const { playback_session_id, title_id, duration_ms } = play;
  return { playback_session_id, title_id, duration_ms, title_class: "film" as const, session_started_at };
}

/** Where the player reports this play to. With the SDK on the page, the SDK alone reports the play's sums. */
function target(play: Play): string {
  const [name = "", version = ""] = library.version.split("/");
  const { profile_id, device_id, device_type, app_name, app_version, country } = who;
  const query = { key: play.report_token, profile_id, device_id, device_type, app_name, app_version, country, title_class: "film" };
  const mode = { player: name, player_version: version, playback: String(report === "cmcd") };
  return `${collector}/v1/cmcd?${new URLSearchParams({ ...query, ...mode })}`;
}

function told(event: ClientEvent): string {
  if (event.family !== "playback") return event.family === "error" ? `error ${event.code}: ${event.message}` : event.family;
  const { seq, event_type, player_state, playhead_ms, watched_ms, rebuffer_count } = event;
  return `${seq} ${event_type}: ${player_state} at ${playhead_ms} ms, watched ${watched_ms} ms, stalls ${rebuffer_count}`;
}

function row(by: string, text: string): void {
  const line = document.createElement("tr");
  for (const each of [new Date().toISOString().slice(11, 23), by, text]) line.insertCell().textContent = each;
  const log = element("log");
  log.prepend(line);
  log.children[MOST_ROWS]?.remove();
}
