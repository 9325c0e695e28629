import Hls from "hls.js";
import { type Begin, EVERY } from "./play.ts";

export const begin: Begin = async (video, play, { attachment, cmcd }) => {
  const hls = new Hls({
    enableWorker: false,
    ...(cmcd && {
      cmcd: {
        version: 2,
        sessionId: play.playback_session_id,
        contentId: play.title_id,
        eventTargets: [{ url: cmcd, events: ["ps", "t", "bc", "pr", "e", "rr"], ...EVERY }],
      } as never, // hls.js has no types for event targets
    }),
  });
  attachment?.hls(hls as never);
  hls.loadSource(play.hls_url);
  hls.attachMedia(video);
  await video.play();
};
