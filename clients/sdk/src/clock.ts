let origin = -Infinity;

/**
 * Milliseconds since the epoch. It goes on when the clock is set back, and follows a clock that is ahead: while a machine
 * sleeps, `performance.now()` stands still in most browsers.
 */
export function now(): number {
  origin = Math.max(origin, Date.now() - performance.now());
  return Math.round(origin + performance.now());
}
