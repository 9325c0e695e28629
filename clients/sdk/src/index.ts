export { now } from "./clock.ts";
export type * from "./contract.ts";
export type { Dash, Hls, Shaka } from "./adapters.ts";
export { uuid7 } from "./ids.ts";
export { type Card, Impressions } from "./impressions.ts";
export { Lease, type Refusal, type Terms, type Watching } from "./lease.ts";
export type { Credential } from "./post.ts";
export { redact } from "./redact.ts";
export { type Attachment, type Beginning, type Client, type Play, Reporter, type ReporterOptions, type UiFields } from "./reporter.ts";
