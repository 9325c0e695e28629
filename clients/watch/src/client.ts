import { type Client, now, uuid7 } from "../../sdk/src/index.ts";
import { version } from "../../package.json";

const DEVICE = "playhead-device";

/** Who reports from this browser. */
export function client(profile: string): Client {
  const touch = matchMedia("(pointer: coarse)").matches;
  const region = navigator.language.match(/-([A-Z]{2})\b/)?.[1];
  return {
    profile_id: profile,
    device_id: deviceId(),
    device_type: touch ? (screen.width < 768 ? "phone" : "tablet") : "desktop",
    app_name: "web",
    app_version: version,
    country: region ?? "ZZ",
  };
}

/** The same at every visit; where a browser stores nothing, a new one at each. */
function deviceId(): string {
  const fresh = `web-${uuid7(now())}`;
  try {
    const known = localStorage.getItem(DEVICE) ?? fresh;
    localStorage.setItem(DEVICE, known);
    return known;
  } catch {
    return fresh;
  }
}

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "Mac"],
  [/Linux/, "Linux"],
];

/** What the household may call this device: `Chrome on Windows`. */
export function deviceName(): string {
  const [browser, system] = [BROWSERS, SYSTEMS].map((names) => names.find(([sign]) => sign.test(navigator.userAgent))?.[1]);
  return `${browser ?? "a browser"}${system ? ` on ${system}` : ""}`;
}
