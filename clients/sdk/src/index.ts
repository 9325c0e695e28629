export type * from "./contract.ts";
export { uuid7 } from "./ids.ts";
export { redact } from "./redact.ts";
export { Attachment, Reporter, type Beginning, type Client, type Hls, type Play } from "./reporter.ts";
