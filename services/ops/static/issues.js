// The top of the live page: alerts that fire, and issues that its own numbers show.

import { ago, clock, count, make } from "/static/page.js";

const PAGE = document.title;
const MONITORING = {
  off: ["No alerts: ", make("code", {}, "make monitor"), " adds Prometheus and Alertmanager."],
  no_data: ["Alertmanager gets no alerts from Prometheus. This is normal in its first minute; after that, no alert can fire."],
  unreachable: ["Alertmanager does not answer: nobody knows what is firing."],
  ok: [],
};
const at = (id) => document.getElementById(id);
const several = (number, what) => `${count(number)} ${what}${number === 1 ? "" : "s"}`;
const drawn = {};

export function showIssues({ alerts, issues, sources, at: now }) {
  const { watch, firing, suppressed, read_at: readAt } = alerts;
  const [pages, tickets] = ["page", "ticket"].map((severity) => firing.filter((alert) => alert.severity === severity));
  const waiting = sources.some((source) => source.read_at === null);
  const hushed = suppressed.filter((alert) => alert.severity === "page").length;
  const [state, title] = verdict(pages.length, issues.length, watch, tickets.length, hushed, waiting);
  at("health").dataset.state = state;
  at("health-title").textContent = title;
  document.title = state === "bad" ? `${pages[0]?.summary ?? issues[0].text} · ${PAGE}` : PAGE;
  list("pages", pages, alertItem);
  list("issues", issues, issueItem);
  list("tickets", tickets, alertItem);
  list("suppressed", suppressed, alertItem);
  const details = at("suppressed").parentElement;
  details.hidden = !suppressed.length;
  details.firstElementChild.textContent = `${several(suppressed.length, "alert")} suppressed`;
  const old = watch === "unreachable" && readAt !== null ? ` The alerts shown are from ${clock(readAt)}.` : "";
  at("monitoring").replaceChildren(...MONITORING[watch], old);
  for (const time of at("health").querySelectorAll("time")) time.textContent = ago(now - Date.parse(time.dateTime));
}

function verdict(pages, issues, watch, tickets, hushed, waiting) {
  if (pages) return ["bad", `${several(pages, "alert")} firing`];
  if (issues) return ["bad", several(issues, "issue")];
  if (watch === "no_data" || watch === "unreachable") return ["warn", "Alerting is down"];
  if (hushed) return ["warn", `${several(hushed, "page")} suppressed`];
  if (tickets) return ["warn", `No page, ${several(tickets, "ticket")}`];
  return waiting ? ["waiting", "Loading …"] : ["good", "All systems normal"];
}

/** Draws only what has changed, so that a link keeps the focus. */
function list(id, found, item) {
  const key = JSON.stringify(found);
  if (drawn[id] === key) return;
  drawn[id] = key;
  at(id).replaceChildren(...found.map(item));
}

function alertItem({ name, severity, since, summary, runbook, suppressed_by: reasons }) {
  const kind = reasons.length ? "" : severity === "page" ? "bad" : "warn";
  const why = reasons.length ? ` · ${reasons.join(", ")}` : severity === "page" ? "" : " · ticket";
  const when = make("time", { datetime: new Date(since).toISOString() });
  return make(
    "li", {},
    make("p", { class: "name" }, summary || name, " ", runbook ? make("a", { class: "runbook-link", href: runbook }, "Runbook") : null),
    make("p", { class: "muted" }, make("span", { class: `pill ${kind}` }, name), ` since ${clock(since).slice(0, 5)}, `, when, why),
  );
}

const issueItem = ({ text, detail, panel }) =>
  make("li", {}, make("p", { class: "name" }, make("a", { href: `#${panel}` }, text)), make("p", { class: "muted reason", title: detail }, detail));
