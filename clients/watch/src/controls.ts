import { clock, element } from "./page.ts";
import { readThumbnails, show } from "./thumbnails.ts";

const PLAY = "M8 5v14l11-7z";
const PAUSE = "M7 5h3.5v14H7zm6.5 0H17v14h-3.5z";
const LOUD = "M4 9v6h4l5 4V5L8 9zm11.5-.5v7a4 4 0 0 0 0-7zm0-4v2.1a6 6 0 0 1 0 10.8v2.1a8 8 0 0 0 0-15z";
const MUTED = "M4 9v6h4l5 4V5L8 9zm17 1.4L19.6 9 17.5 11.1 15.4 9 14 10.4l2.1 2.1L14 14.6 15.4 16l2.1-2.1L19.6 16 21 14.6l-2.1-2.1z";
const STEP_S = 10;
const IDLE_MS = 2_500;

/** The qualities that can be chosen. */
export interface Qualities {
  names: string[];
  /** By index; -1 leaves it to the player. */
  choose(index: number): void;
}

/** Buttons, time line and keys of the player. They only ever change the media element. */
export class Controls {
  readonly #player = element("player");
  readonly #video = element<HTMLVideoElement>("video");
  readonly #seek = element<HTMLInputElement>("seek");
  readonly #quality = element<HTMLSelectElement>("quality");
  #thumbnails: Awaited<ReturnType<typeof readThumbnails>> = [];
  #idle: ReturnType<typeof setTimeout> | undefined;
  #choose: (index: number) => void = () => {};
  readonly #toggle: () => void;

  /** `toggle`: what space and a click on the picture do. */
  constructor(toggle: () => void) {
    this.#toggle = toggle;
    for (const name of ["timeupdate", "durationchange", "play", "pause", "progress", "volumechange", "seeking"]) {
      this.#video.addEventListener(name, () => this.#refresh());
    }
    for (const name of ["play", "pause", "volumechange", "seeking"]) this.#video.addEventListener(name, () => this.#wake());
    this.#video.addEventListener("click", toggle);
    element("toggle").addEventListener("click", toggle);
    element("mute").addEventListener("click", () => this.#mute());
    element("full").addEventListener("click", () => this.#full());
    this.#seek.addEventListener("input", () => this.#move(Number(this.#seek.value)));
    this.#seek.addEventListener("pointermove", (event) => this.#preview(event));
    this.#seek.addEventListener("pointerleave", () => (element("preview").hidden = true));
    this.#quality.addEventListener("change", () => this.#choose(Number(this.#quality.value)));
    document.addEventListener("keydown", (event) => this.#key(event));
    for (const name of ["pointermove", "pointerdown", "focusin"]) this.#player.addEventListener(name, () => this.#wake());
  }

  /** A play has begun. */
  async begin(qualities: Qualities, thumbnails: string | null): Promise<void> {
    element("controls").hidden = false;
    this.#choose = qualities.choose;
    const choices = ["Auto", ...qualities.names].map((name, index) => new Option(name, String(index - 1)));
    this.#quality.replaceChildren(...choices);
    this.#thumbnails = await readThumbnails(thumbnails);
  }

  #refresh(): void {
    const { currentTime, duration, paused, muted, buffered } = this.#video;
    const known = Number.isFinite(duration) ? duration : 0;
    this.#seek.max = String(known || 1);
    this.#seek.value = String(currentTime);
    this.#seek.setAttribute("aria-valuetext", `${clock(currentTime)} of ${clock(known)}`);
    const end = [...Array(buffered.length).keys()].map((index) => buffered.end(index)).filter((at) => at >= currentTime)[0];
    element<HTMLProgressElement>("buffered").value = known ? (end ?? currentTime) / known : 0;
    element("position").textContent = clock(currentTime);
    element("length").textContent = clock(known);
    label("toggle", paused ? PLAY : PAUSE, paused ? "Play" : "Pause");
    label("mute", muted ? MUTED : LOUD, muted ? "Unmute" : "Mute");
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || element("controls").hidden) return;
    if (target.matches("select, a, textarea") || (target.matches("button") && event.key === " ")) return;
    const keys: Record<string, () => void> = {
      " ": this.#toggle,
      ArrowLeft: () => this.#move(this.#video.currentTime - STEP_S),
      ArrowRight: () => this.#move(this.#video.currentTime + STEP_S),
      m: () => this.#mute(),
      f: () => this.#full(),
    };
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #move(seconds: number): void {
    this.#video.currentTime = Math.min(Math.max(0, seconds), this.#video.duration || 0);
  }

  #mute(): void {
    this.#video.muted = !this.#video.muted;
  }

  #full(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.#player.requestFullscreen?.();
  }

  #preview(event: PointerEvent): void {
    const { left, width } = this.#seek.getBoundingClientRect();
    const share = Math.min(Math.max(0, (event.clientX - left) / width), 1);
    const preview = element("preview");
    element("preview-time").textContent = clock(share * this.#video.duration);
    show(this.#thumbnails, share * this.#video.duration * 1000, element("preview-picture"));
    preview.hidden = false;
    const half = preview.offsetWidth / 2;
    preview.style.left = `${Math.min(Math.max(half, share * width), width - half)}px`;
  }

  /** Shows the controls, and hides them again while the picture moves and nobody does anything. */
  #wake(): void {
    delete this.#player.dataset.idle;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (!this.#video.paused) this.#player.dataset.idle = "";
    }, IDLE_MS);
  }
}

function label(id: string, shape: string, name: string): void {
  element(`${id}-shape`).setAttribute("d", shape);
  element(id).setAttribute("aria-label", name);
}
