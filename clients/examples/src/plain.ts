import type { Begin } from "./play.ts";

/** A media element alone, in a browser that plays HLS by itself. Nothing but the SDK reports. */
export const begin: Begin = async (video, play) => {
  video.src = play.hls_url;
  await video.play();
};
