const encoder = new TextEncoder();

/** Bytes of UTF-8. */
export const size = (text: string): number => encoder.encode(text).length;

/** Its beginning, in at most so many bytes of UTF-8. Half a character, which no collector takes, is left out or replaced. */
export const cut = (text: string, bytes: number): string =>
  new TextDecoder().decode(encoder.encode(text).subarray(0, bytes), { stream: true });
