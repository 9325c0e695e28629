// The live page: asks for the document every two seconds and draws it. Old numbers are shown as old, never as new.

import { ago, clock, count, lasting, make, position, rate, short, tenth, words } from "/static/page.js";
import { timeChart } from "./chart.js";
import { showIssues } from "./issues.js";

const EVERY_MS = 2000;
const LATE_MS = 12000;
const FAMILIES = ["playback", "ui", "performance", "diagnostic", "error", "processing"];
const at = (id) => document.getElementById(id);

const multiples = FAMILIES.map((family) => {
  const now = make("span", { class: "now" }, "–");
  const chart = make("div", { class: "chart" });
  at("rates").append(
    make("div", {}, make("div", { class: "multiple-head" }, make("span", { class: `family ${family}` }, family), now), chart),
  );
  const draw = timeChart(chart, [family], `${family} events a second, last ten minutes`, { empty: "no events" });
  return { family, now, draw };
});
let drawLag = null;

function tile(name, text, aside, state = "") {
  at(`tile-${name}`).textContent = text;
  at(`tile-${name}`).className = state;
  at(`tile-${name}-aside`).textContent = aside;
}

const bare = (name) => name.replace("playhead.", "");
const last = (values) => values?.at(-1) ?? 0;
const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);

function showRates({ rates }) {
  for (const { family, now, draw } of multiples) {
    now.replaceChildren(rate(last(rates.values[family])), make("small", {}, " /s"));
    draw(rates);
  }
  const totals = rates.times.map((_, place) => sum(FAMILIES.map((family) => rates.values[family]?.[place] ?? 0)));
  const minute = totals.filter((_, place) => rates.times[place] > last(rates.times) - 60000);
  tile("rate", rate(last(totals)), minute.length ? `${rate(sum(minute) / minute.length)} a second, last minute` : "");
}

function showLag({ lag, groups }) {
  drawLag ??= timeChart(at("lag"), groups.map(bare), "Records behind by consumer group, last ten minutes", {
    legend: true,
    area: false,
    empty: "nothing to catch up on",
  });
  drawLag({ times: lag.times, values: Object.fromEntries(groups.map((group) => [bare(group), lag.values[group] ?? []])) });
  const newest = groups.map((group) => [bare(group), last(lag.values[group])]);
  tile("lag", short(sum(newest.map(([, records]) => records))), newest.map(([group, records]) => `${group} ${short(records)}`).join(" · "));
}

function state({ kafka, waiting, differing }) {
  if (differing) return ["bad", `${count(differing)} differ`];
  if (waiting) return ["", `${short(waiting)} waiting`];
  return kafka ? ["good", "balanced"] : ["", "empty"];
}

function showLedger({ ledger, sources }) {
  if (!ledger) return;
  const { topics, this_hour: now, last_hour: before, findings } = ledger;
  const away = sources.filter(({ name, error }) => error && ["kafka", "cassandra"].includes(name)).map(({ label }) => label);
  at("ledger").replaceChildren(
    ...topics.map((topic) => {
      const [kind, text] = away.length ? ["", "unknown"] : state(topic);
      const number = (name, value) => make("td", { "data-name": name }, count(value));
      return make(
        "tr", {}, make("td", {}, words(bare(topic.topic))), number("Kafka", topic.kafka), number("Compared", topic.kafka - topic.waiting),
        make("td", {}, make("span", { class: `pill ${kind}` }, text)),
      );
    }),
  );
  at("compared").textContent = `${count(now)} records received this hour, ${count(before)} in the hour before.`;
  at("findings").replaceChildren(
    ...findings.map((finding) => make("li", {}, make("span", { class: "pill bad" }, "differs"), " ", make("code", {}, finding))),
  );
  const total = (column) => sum(topics.map((topic) => topic[column]));
  const [kind, text] = state({ kafka: total("kafka"), waiting: total("waiting"), differing: total("differing") });
  const aside = total("differing") ? "the records are named below" : `${short(total("kafka") - total("waiting"))} of ${short(total("kafka"))} records compared`;
  if (away.length) tile("ledger", "Unknown", `${away.join(" and ")} unreachable`, "warn");
  else tile("ledger", text[0].toUpperCase() + text.slice(1), aside, kind);
}

const seconds = (milliseconds) => (milliseconds === null ? "–" : `${tenth(milliseconds / 1000)} s`);
const share = (part, digits = 1) => (part === null || Number.isNaN(part) ? "–" : `${(part * 100).toFixed(digits)} %`);

function showExperience({ experience, issues, starts_last_week: lastWeek }) {
  if (!experience) return;
  const { viewers, starts, views, failures, apps } = experience;
  at("seen-viewers").textContent = count(viewers);
  at("seen-starts").textContent = count(starts);
  if (lastWeek !== null) at("seen-starts").append(" ", make("small", {}, `${rate(lastWeek)} a week ago`));
  at("seen-p50").textContent = seconds(experience.startup_p50_ms);
  at("seen-p95").textContent = seconds(experience.startup_p95_ms);
  at("seen-stalled").textContent = share(experience.rebuffer_ratio, 2);
  const stalls = experience.rebuffer_frequency;
  if (stalls !== null) at("seen-stalled").append(" ", make("small", {}, `${tenth(stalls * 60)} stalls an hour`));
  at("seen-failures").textContent = share(failures / views);
  at("seen-failures").className = issues.some(({ panel }) => panel === "experience") ? "bad" : "";
  if (!apps.length) return;
  const marked = (text, worse) => make("td", {}, worse ? make("span", { class: "pill bad" }, text) : text);
  at("apps").replaceChildren(
    ...apps.map((app) =>
      make(
        "tr", {}, make("td", {}, words(app.device_type), " ", make("span", { class: "muted" }, app.app_version)), make("td", {}, count(app.views)),
        marked(share(app.failures / app.views), app.fails_more), marked(seconds(app.startup_p95_ms), app.starts_slower),
        make("td", {}, share(app.rebuffer_ratio, 2)),
      ),
    ),
  );
}

function showWrites({ writes, at: now }) {
  if (!writes.length) return;
  at("writes").replaceChildren(
    ...writes.map((write) => {
      const where = write.duration_ms ? `${position(write.position_ms)} of ${position(write.duration_ms)}` : position(write.position_ms);
      const name = make("p", { class: "name", title: write.title }, write.title);
      if (write.year) name.append(" ", make("span", { class: "muted" }, String(write.year)));
      const member = make("a", { href: `/members/${encodeURIComponent(write.profile_id)}` }, write.profile_id);
      return make(
        "li", { class: "write" },
        make("img", { src: `/posters/${encodeURIComponent(write.title_id)}.svg`, alt: "", width: "320", height: "180" }),
        make(
          "div", {}, name, make("p", { class: "muted" }, member, ` · ${where} · ${words(write.device_type)}`),
          write.duration_ms ? make("progress", { max: write.duration_ms, value: write.position_ms, "aria-label": `Position in ${write.title}` }) : null,
        ),
        make(
          "p", { class: "when" }, ago(now - write.received_at), make("br"),
          make("span", { class: `pill ${write.stored ? "good" : "warn"}` }, write.stored ? words(write.player_state) : "not stored yet"),
        ),
      );
    }),
  );
}

function showDeadLetters({ dead_letters: letters, issues, at: now }) {
  const newest = letters.newest[0];
  const many = issues.some(({ panel }) => panel === "dead-letters");
  tile("dead", count(letters.total), newest ? `newest ${ago(now - newest.failed_at)}` : "none so far", many ? "bad" : "");
  if (!newest) return;
  at("dead-letters").replaceChildren(
    ...letters.newest.slice(0, 6).map((letter) =>
      make(
        "li", {},
        make("div", { class: "dead-letter-head" }, make("span", { class: "pill bad" }, words(letter.error_class)), `by the ${letter.step} · ${ago(now - letter.failed_at)}`),
        make("p", { class: "reason" }, letter.reason),
        make("code", {}, letter.place),
      ),
    ),
  );
}

function showProcesses({ processes }) {
  if (!processes.length) return;
  const isOneOfSeveral = (process) => processes.filter(({ name }) => name === process.name).length > 1;
  at("processes").replaceChildren(
    ...processes.map((process) => {
      const facts = [];
      if (process.uptime_seconds !== null) facts.push(`up for ${lasting(process.uptime_seconds)}`);
      if (process.memory_bytes !== null) facts.push(`${count(process.memory_bytes / 2 ** 20)} MiB`);
      if (process.cpu_share !== null) facts.push(`${count(process.cpu_share * 100)} % of a core`);
      return make(
        "li", { class: "process" }, make("span", { class: "name" }, isOneOfSeveral(process) ? `${process.name} ${process.index}` : process.name),
        make("span", { class: "muted" }, process.does),
        make("span", { class: "muted" }, facts.join(" · ") || (process.up ? "no metrics" : "does not answer")),
        make("span", { class: `pill ${process.up ? "good" : "bad"}` }, process.up ? "up" : "down"),
      );
    }),
  );
}

function showSources({ sources, at: now }) {
  const age = (source) => (source.read_at === null ? null : now - source.read_at);
  const kind = (source) => (source.error ? "away" : age(source) > LATE_MS ? "late" : "");
  at("sources").replaceChildren(
    ...sources.map((source) =>
      make("li", { class: kind(source), title: source.error ?? "answers" }, `${source.label} ${source.error ? "unreachable" : ago(age(source))}`),
    ),
  );
  for (const panel of document.querySelectorAll("[data-source]")) {
    const old = sources.find((source) => panel.dataset.source.split(" ").includes(source.name) && kind(source) !== "");
    panel.classList.toggle("stale", old !== undefined);
    panel.querySelector(".panel-head").dataset.note = old ? staleness(old) : "";
  }
  const away = sources.filter((source) => kind(source) !== "").map((source) => source.label);
  if (away.length) say("stale", `${away.join(", ")} unreachable: its numbers are old`);
  else say("live", `Updated ${clock(now)}`);
}

function staleness({ label, read_at: readAt }) {
  return readAt === null ? `${label} has not answered yet.` : `${label} is unreachable: numbers are from ${clock(readAt)}.`;
}

function say(kind, text) {
  const status = at("status");
  status.dataset.state = kind;
  if (status.textContent !== text) status.textContent = text;
}

const SHOWS = [showIssues, showExperience, showRates, showLag, showLedger, showWrites, showDeadLetters, showProcesses, showSources];
let newestAt = null;

async function refresh() {
  try {
    const answer = await fetch("/v1/live", { signal: AbortSignal.timeout(8000) });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const live = await answer.json();
    SHOWS.forEach((show) => show(live));
    newestAt = live.at;
  } catch (error) {
    say("lost", newestAt ? `No connection to the server. Numbers are from ${clock(newestAt)}.` : "No connection to the server");
    console.info("live numbers:", error);
  }
  document.documentElement.dataset.refreshed = String(Date.now());
  setTimeout(refresh, EVERY_MS);
}

refresh();
