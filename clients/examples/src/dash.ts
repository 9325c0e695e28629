import { MediaPlayer } from "dashjs";
import { type Begin, EVERY } from "./play.ts";

/** Without this list dash.js sends neither session nor number. */
const KEYS = ["sid", "cid", "e", "sn", "sta", "ts", "v", "br", "bl", "mtp", "ec", "rc", "ot", "ttfb", "ttlb", "url"];

export const begin: Begin = async (video, play, { attachment, cmcd }) => {
  const player = MediaPlayer().create();
  if (cmcd) {
    const target = { enabled: true, url: cmcd, events: ["ps", "t", "e", "rr"], enabledKeys: KEYS, ...EVERY };
    const settings = { enabled: true, version: 2, sid: play.playback_session_id, cid: play.title_id, enabledKeys: KEYS };
    player.updateSettings({ streaming: { cmcd: { ...settings, eventTargets: [target] } } } as never);
  }
  attachment?.dash(player as never);
  player.initialize(video, play.dash_url, false);
  await video.play();
};
