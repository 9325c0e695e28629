// Unpacks the browser, fonts and the libraries that a bare machine lacks into $TMPDIR.
import { readdirSync } from "node:fs";
import { inflate } from "@sparticuz/chromium";

const folder = "node_modules/@sparticuz/chromium/bin";
await Promise.all(readdirSync(folder).map((name) => inflate(`${folder}/${name}`)));
