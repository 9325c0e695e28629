import shaka from "shaka-player";
import { type Begin, EVERY } from "./play.ts";

export const begin: Begin = async (video, play, { attachment, cmcd }) => {
  const player = new shaka.Player();
  if (cmcd) {
    const target = { enabled: true, mode: "event", url: cmcd, events: ["ps", "t", "bc", "e", "rr"], ...EVERY };
    const settings = { enabled: true, version: 2, sessionId: play.playback_session_id, contentId: play.title_id };
    player.configure({ cmcd: { ...settings, eventTargets: [target] } } as never);
  }
  attachment?.shaka(player as never);
  await player.attach(video);
  try {
    await player.load(play.dash_url);
  } catch (error) {
    attachment?.fail(`shaka.${(error as { code: number }).code}`, String(error), true); // shaka sends no event for it
    throw error;
  }
  await video.play();
};
