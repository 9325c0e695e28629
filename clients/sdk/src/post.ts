import type { Post, Reply } from "./queue.ts";

/**
 * What lets a page report: an application key or a token.
 *
 * A function is asked for it before the first request and again after each 401. It may take its time and may fail: events
 * wait. Where it resolves to "", requests carry the browser's cookies instead.
 */
export type Credential = string | (() => Promise<string>);

/** For one answer, over the slowest line: a line that is dead says nothing, and what is on it goes again. */
const PATIENCE_MS = 60_000;
/** A collector asks for seconds. What asks for more is something between, and it may be wrong. */
const LONGEST_RETRY_AFTER_S = 600;

/** A request that leaves with the page must not need a preflight: what it carries is in the address, its type is text. */
export function posting(collector: string, credential: Credential): Post {
  const ask = typeof credential === "string" ? null : credential;
  let known = ask ? null : (credential as string);
  return async (body, leaving) => {
    try {
      if (known === null && leaving) return null; // the next page knows
      const carried = (known ??= await ask!());
      const query = leaving && carried ? `?key=${encodeURIComponent(carried)}` : "";
      const answer = await fetch(`${collector}/v1/events${query}`, {
        method: "POST",
        body,
        keepalive: leaving,
        signal: AbortSignal.timeout?.(PATIENCE_MS) ?? null, // browsers before 2022 have no such limit
        credentials: carried ? "same-origin" : "include",
        headers: leaving ? {} : { "Content-Type": "application/json", ...(carried && { Authorization: `Bearer ${carried}` }) },
      });
      if (ask && answer.status === 401 && known === carried) known = null;
      const retryAfter = Math.min(Number(answer.headers.get("Retry-After")) || 0, LONGEST_RETRY_AFTER_S);
      const content = await answer.json().catch(() => ({}));
      return { status: answer.status, retryAfter, rejected: content.rejected ?? null } satisfies Reply;
    } catch {
      return null; // no answer
    }
  };
}
