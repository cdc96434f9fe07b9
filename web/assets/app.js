// SPDX-License-Identifier: GPL-3.0-or-later
// app: asks for /api/v1/status each half minute while the page is looked at, and keeps the
// cards of the series in step with it. Cards draw their plots only when they are in view.

import { Failure, get, token } from "./api.js";
import { Card, problems } from "./card.js";
import * as format from "./format.js";

const REFRESH_MS = 30000;
const PER_PAGE = 24;
const PAGE_LIMIT = 1000; // series in one answer
const PAGES_MAX = 20;

const $ = (id) => document.getElementById(id);
const cards = new Map(); // by name of the series
const view = readAddress();
let status = null; // the last answer
let statusAt = 0;  // performance.now() of it
let failed = null; // Failure of the last try, null when it went well
let timer = 0;

// What is looked at stands in the address, so that it can be shared.
function readAddress() {
  const q = new URLSearchParams(location.search);
  return { find: q.get("find") ?? "", attention: q.has("attention"), page: Math.max(1, Number(q.get("page")) || 1) };
}

function writeAddress() {
  const q = new URLSearchParams();
  if (view.find) q.set("find", view.find);
  if (view.attention) q.set("attention", "");
  if (view.page > 1) q.set("page", view.page);
  const text = q.toString().replace("attention=", "attention");
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

// The server's clock, carried on with ours: it may be a virtual one.
const serverNow = () => Date.parse(status.time) + (performance.now() - statusAt);

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) cards.get(entry.target.dataset.series)?.setVisible(entry.isIntersecting);
}, { rootMargin: "200px" });

function card(name) {
  if (!cards.has(name)) {
    const made = new Card(name);
    made.element.dataset.series = name;
    cards.set(name, made);
    seen.observe(made.element);
  }
  return cards.get(name);
}

function chosen(now) {
  const words = view.find.toLowerCase().split(/\s+/).filter(Boolean);
  return status.series.filter((s) =>
    words.every((w) => s.name.toLowerCase().includes(w)) &&
    (!view.attention || problems(s, now).length > 0));
}

function message(text) {
  const p = document.createElement("p");
  p.className = "message";
  p.textContent = text;
  return p;
}

function showList() {
  const now = serverNow(), list = chosen(now);
  const pages = Math.max(1, Math.ceil(list.length / PER_PAGE));
  view.page = Math.min(view.page, pages);
  const first = (view.page - 1) * PER_PAGE;
  const shown = list.slice(first, first + PER_PAGE);
  const elements = shown.map((s) => card(s.name).element);
  const old = [...$("list").children];
  // untouched while nothing moves: focus, opened tables and plots stay
  if (!elements.length) {
    $("list").replaceChildren(message(!status.series.length
      ? "There are no series yet. They appear by themselves when sensors send readings: the first value after the first complete hour, the first model after 24."
      : view.attention && !view.find ? "Nothing needs attention." : "No series fits."));
  } else if (elements.length !== old.length || elements.some((e, i) => e !== old[i])) {
    $("list").replaceChildren(...elements);
  }
  for (const s of shown) card(s.name).update(s, now, status.settled);
  $("pages").hidden = pages < 2;
  $("page").textContent = `${first + 1} to ${first + shown.length} of ${list.length}`;
  $("previous").disabled = view.page <= 1;
  $("next").disabled = view.page >= pages;
  $("tools").hidden = !status.series.length;
  $("attention").setAttribute("aria-pressed", String(view.attention));
  const troubled = status.series.filter((s) => problems(s, now).length > 0).length;
  $("attention").textContent = `Needs attention (${troubled})`;
}

// A service's entry may be a word or an object; anything but a clear yes is worth a word.
function notReady(services) {
  return Object.entries(services ?? {}).filter(([, s]) => {
    const state = typeof s === "object" && s !== null ? s.ready ?? s.up ?? s.state ?? s.status : s;
    return ![true, "ready", "up", "ok"].includes(state);
  }).map(([name]) => name);
}

function showSummary() {
  const n = status.series.length;
  const alerts = status.series.reduce((sum, s) => sum + (s.alerts ?? 0), 0);
  const down = notReady(status.services);
  const parts = [`${n} series`, alerts === 1 ? "1 alert" : `${alerts || "no"} alerts`];
  if (down.length) parts.push(`not ready: ${down.join(", ")}`);
  const at = Date.parse(status.time);
  $("summary").replaceChildren(`${parts.join(" · ")} · as of `, format.time(at, format.clock(at)));
  $("summary").classList.toggle("bad", down.length > 0);
  document.title = alerts ? `(${alerts}) Fieldcast` : "Fieldcast";
}

function announce(text) {
  if ($("live").textContent !== text) $("live").textContent = text;
}

function showFailure() {
  const asks = failed?.kind === "token";
  $("token-form").hidden = !asks;
  $("forget").hidden = asks || !token.get();
  $("notice").hidden = !failed || asks;
  document.body.classList.toggle("stale", Boolean(failed) && Boolean(status));
  if (asks) $("token-text").textContent = token.get() ? `It was not accepted: ${failed.message}` : failed.message;
  if (!failed) {
    announce(status ? "" : "Loading");
    return;
  }
  const old = status ? ` What you see is from ${format.clock(Date.parse(status.time))}.` : "";
  const text = navigator.onLine === false ? "This device is offline." : failed.message;
  $("notice-text").textContent = `${text} Trying again every ${REFRESH_MS / 1000} s.${old}`;
  if (!status) $("summary").textContent = asks ? "The series are not public here." : "No answer yet.";
  announce(asks ? "An access token is needed." : $("notice-text").textContent);
}

// All pages of a list, joined under its key; `name` is the parameter that asks for the next.
async function getAll(path, key, name) {
  const first = await get(path, { limit: PAGE_LIMIT });
  if (!Array.isArray(first[key])) throw new Failure("server", `The answer of ${path} has another form than this page knows.`);
  for (let next = first.next, n = 1; next && n < PAGES_MAX; n++) {
    const more = await get(path, { limit: PAGE_LIMIT, [name]: next });
    first[key].push(...more[key]);
    next = more.next;
  }
  return first;
}

// The monitor knows the loop and the last complete hour; the predictor the last reading.
async function getStatus() {
  const [answer, catalogue] = await Promise.all([
    getAll("/api/v1/status", "series", "after"),
    getAll("/api/v1/series", "items", "cursor").catch(() => ({ items: [] })),
  ]);
  const live = new Map(catalogue.items.map((item) => [item.name, item.last]));
  for (const s of answer.series) {
    const last = live.get(s.name);
    s.hourly = !(last && (!s.last || Date.parse(last.time) > Date.parse(s.last.time)));
    if (!s.hourly) s.last = last;
  }
  return answer;
}

async function refresh() {
  clearTimeout(timer);
  try {
    status = await getStatus();
    statusAt = performance.now();
    failed = null;
    showSummary();
    showList();
  } catch (error) {
    failed = error;
  }
  showFailure();
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS);
}

function changeView(change) {
  Object.assign(view, change);
  writeAddress();
  if (status) showList();
}

function turn(by) {
  changeView({ page: view.page + by });
  $("list").focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

$("filter").value = view.find;
$("filter").addEventListener("input", () => changeView({ find: $("filter").value, page: 1 }));
$("tools").addEventListener("submit", (event) => event.preventDefault());
$("attention").addEventListener("click", () => changeView({ attention: !view.attention, page: 1 }));
$("previous").addEventListener("click", () => turn(-1));
$("next").addEventListener("click", () => turn(1));
$("retry").addEventListener("click", refresh);
$("forget").addEventListener("click", () => {
  token.forget();
  refresh();
});
$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set($("token").value.trim());
  $("token").value = "";
  refresh();
});
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) refresh();
});
addEventListener("online", refresh);
addEventListener("offline", refresh);
new ResizeObserver(() => {
  for (const c of cards.values()) c.resize();
}).observe($("list"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const c of cards.values()) if (c.plot) c.redraw();
});
refresh();
