/** A small picture of a moment: a rectangle of a sheet. */
interface Thumbnail {
  untilMs: number;
  sheet: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const CUE = /([\d:.]+) --> ([\d:.]+)[^\n]*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;

/** The thumbnails of a WebVTT track, in order. An unreadable track has none: the film plays without. */
export async function readThumbnails(address: string | null): Promise<Thumbnail[]> {
  if (!address) return [];
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) return [];
  const text = (await answer.text()).replaceAll("\r\n", "\n");
  return [...text.matchAll(CUE)].map(([, , until, sheet, x, y, width, height]) => ({
    untilMs: milliseconds(until!),
    sheet: new URL(sheet!, address).href,
    x: Number(x),
    y: Number(y),
    width: Number(width),
    height: Number(height),
  }));
}

/** Draws the picture of that moment into an element. */
export function show(thumbnails: Thumbnail[], positionMs: number, into: HTMLElement): void {
  const found = thumbnails.find((each) => positionMs < each.untilMs) ?? thumbnails.at(-1);
  into.hidden = !found;
  if (!found) return;
  into.style.width = `${found.width}px`;
  into.style.height = `${found.height}px`;
  into.style.backgroundImage = `url("${found.sheet}")`;
  into.style.backgroundPosition = `-${found.x}px -${found.y}px`;
}

function milliseconds(time: string): number {
  return time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * 1000;
}
