/** A UUID of version 7: 48 bits of time, then 72 of chance. `now`: whole milliseconds since the epoch. */
export function uuid7(now: number): string {
  const time = now.toString(16).padStart(12, "0");
  const chance = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(0, 3)}-8${chance.slice(3, 6)}-${chance.slice(6)}`;
}
