import assert from "node:assert/strict";
import { test } from "node:test";
import { type Observed, fromDash, fromHls, fromShaka } from "../src/adapters.ts";

/** What an adapter reports, and a library whose events the test makes. */
function library() {
  const listeners = new Map<string, (...data: any[]) => void>();
  const on = (name: string, listener: (...data: any[]) => void): void => void listeners.set(name, listener);
  const reported: unknown[] = [];
  const to: Observed = {
    bitrate: (kbps) => reported.push(kbps),
    fail: (code, message, fatal) => reported.push([code, message, fatal]),
  };
  return { on, to, reported, emit: (name: string, ...data: unknown[]) => listeners.get(name)!(...data) };
}

test("hls.js: the bitrate that is shown, and errors with their address", () => {
  const { on, to, reported, emit } = library();
  fromHls({ levels: [{ bitrate: 400_000 }, { bitrate: 998_000 }], on }, to);
  emit("hlsLevelSwitched", "hlsLevelSwitched", { level: 1 });
  emit("hlsError", "hlsError", { details: "fragLoadError", fatal: false, reason: "404", frag: { url: "http://edge/1.m4s" } });
  assert.deepEqual(reported, [998, ["hls.fragLoadError", "404 http://edge/1.m4s", false]]);
});

test("dash.js: a missing manifest ends a play, a missing segment does not", () => {
  const { on, to, reported, emit } = library();
  fromDash({ on, getCurrentRepresentationForType: () => ({ bandwidth: 900_000 }) }, to);
  emit("qualityChangeRendered", { mediaType: "audio" });
  emit("qualityChangeRendered", { mediaType: "video" });
  emit("error", { error: { code: 25, message: "manifest is not available" } });
  emit("error", { error: { code: 27, message: "content is not available" } });
  assert.deepEqual(reported, [900, ["dash.25", "manifest is not available", true], ["dash.27", "content is not available", false]]);
});

test("shaka: what is critical ends a play, what it repeats does not", () => {
  const { on, to, reported, emit } = library();
  const tracks = [{ active: false, bandwidth: 1, videoBandwidth: 1 }, { active: true, bandwidth: 996_000, videoBandwidth: null }];
  fromShaka({ addEventListener: on, getVariantTracks: () => tracks }, to);
  emit("adaptation");
  emit("error", { detail: { code: 1001, severity: 1, data: ["http://edge/1.m4s"] } });
  emit("error", { detail: { code: 3016, severity: 2, message: "decode" } });
  assert.deepEqual(reported, [996, ["shaka.1001", "1001 http://edge/1.m4s", false], ["shaka.3016", "decode", true]]);
});
