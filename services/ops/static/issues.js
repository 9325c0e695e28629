// What the live page begins with: the alerts that fire, and what its own numbers call wrong.

import { ago, clock, count, make } from "/static/page.js";

const PAGE = document.title;
const WATCH = {
  none: ["No alerts: ", make("code", {}, "make monitor"), " adds Prometheus and Alertmanager, where they are installed."],
  deaf: ["Alertmanager hears nothing of Prometheus, as in its first minute: no alert can fire."],
  away: ["Alertmanager does not answer: nobody knows what fires."],
  well: [],
};
const at = (id) => document.getElementById(id);
const several = (number, what) => `${count(number)} ${what}${number === 1 ? "" : "s"}`;
const drawn = {};

export function showWrong({ alerts, troubles, sources, at: now }) {
  const { watch, firing, silenced, read_at: readAt } = alerts;
  const [pages, tickets] = ["page", "ticket"].map((severity) => firing.filter((alert) => alert.severity === severity));
  const waiting = sources.some((source) => source.read_at === null);
  const [state, title] = verdict(pages.length, troubles.length, watch, tickets.length, waiting);
  at("wrong").dataset.state = state;
  at("wrong-title").textContent = title;
  document.title = state === "bad" ? `${pages[0]?.summary ?? troubles[0].text} · ${PAGE}` : PAGE;
  list("pages", pages, alertItem);
  list("troubles", troubles, troubleItem);
  list("tickets", tickets, alertItem);
  list("silenced", silenced, alertItem);
  const details = at("silenced").parentElement;
  details.hidden = !silenced.length;
  details.firstElementChild.textContent = `${several(silenced.length, "symptom")} silenced`;
  const old = watch === "away" && readAt !== null ? ` The alerts are of ${clock(readAt)}.` : "";
  at("watch").replaceChildren(...WATCH[watch], old);
  for (const time of at("wrong").querySelectorAll("time")) time.textContent = ago(now - Date.parse(time.dateTime));
}

function verdict(pages, troubles, watch, tickets, waiting) {
  if (pages) return ["bad", `${several(pages, "alert")} firing`];
  if (troubles) return ["bad", "Something is wrong"];
  if (watch === "deaf" || watch === "away") return ["warn", "Nobody watches"];
  if (tickets) return ["warn", "Nothing urgent"];
  return waiting ? ["waiting", "Looking …"] : ["good", "All is well"];
}

/** Draws only what has changed, so that a link keeps the focus. */
function list(id, found, item) {
  const news = JSON.stringify(found);
  if (drawn[id] === news) return;
  drawn[id] = news;
  at(id).replaceChildren(...found.map(item));
}

function alertItem({ name, severity, since, summary, runbook, silenced_by: silencers }) {
  const silenced = silencers.length > 0;
  const kind = silenced ? "" : severity === "page" ? "bad" : "warn";
  const why = silenced ? ` · silenced by ${silencers.join(", ")}` : severity === "page" ? "" : " · a ticket, wakes nobody";
  const when = make("time", { datetime: new Date(since).toISOString() });
  return make(
    "li", {},
    make("p", { class: "name" }, summary || name, " ", runbook ? make("a", { class: "runbook-link", href: runbook }, "Runbook") : null),
    make("p", { class: "muted" }, make("span", { class: `pill ${kind}` }, name), ` since ${clock(since).slice(0, 5)}, `, when, why),
  );
}

const troubleItem = ({ text, aside, panel }) =>
  make("li", {}, make("p", { class: "name" }, make("a", { href: `#${panel}` }, text)), make("p", { class: "muted reason", title: aside }, aside));
