// SPDX-License-Identifier: GPL-3.0-or-later
// card: the part of the page about one series: last value and age, state, plot of the last
// and the next day, model and error, and the same numbers as a table.

import { Failure, get } from "./api.js";
import { draw, join, point, resize } from "./chart.js";
import * as format from "./format.js";

const HOUR = 3600000;
const DAY = 24 * HOUR;
const NO_SCORE = "Known when hours that were forecast have passed";
const SKILL_HOURS = 12; // of fewer the monitor makes nothing either: one calm hour says -2000 %
const SILENT_AFTER = 3 * HOUR; // a mean of the hour may be two hours old and in time
const PLOT_AGE = 5 * 60000;    // a plot is asked for again after this, or at a new hour

const template = document.getElementById("card");

const DRIFT = {
  stuck: ["stuck", "It says the same value again and again"],
  silent: ["silent", "It has stopped sending"],
  error_risen: ["error has risen", "Its forecasts have become worse than they used to be"],
  skill_lost: ["skill lost", "Its forecasts are no better than repeating the last value"],
  system0_thresholds: ["error over its limit", "Its error is over the limits that were set for it"],
};
const TRAINING = { asked: " A new model has been asked for.", held: " A new model is held back for now." };

// What is worth a look: [word, sentence] each.
export function problems(series, now) {
  const found = [];
  if (series.state === "quarantined") found.push(["quarantined", "The sensor is taken for broken: its values are stored, not learned from"]);
  if (series.alerts > 0) found.push([series.alerts === 1 ? "1 alert" : `${series.alerts} alerts`, "Open alerts"]);
  if (series.drift) {
    const [word, sentence] = DRIFT[series.drift.kind] ?? ["drift", "Its behaviour has changed"];
    found.push([word, `${sentence}.${TRAINING[series.drift.training] ?? ""}`]);
  }
  if (series.drift?.kind !== "silent" && series.state !== "disabled" && series.last &&
      now - Date.parse(series.last.time) > SILENT_AFTER)
    found.push(["silent", "No new value for longer than three hours"]);
  return found;
}

export class Card {
  constructor(name) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.name = name;
    const dot = name.indexOf(".");
    const id = `s-${name.replace(/[^A-Za-z0-9_-]/g, "-")}`;
    this.find("h2").id = id;
    this.element.setAttribute("aria-labelledby", id);
    this.find(".device").textContent = name.slice(0, dot);
    this.find(".quantity").textContent = format.name(name.slice(dot + 1));
    this.visible = false;
    this.loadedAt = 0;
    this.find("figure").addEventListener("keydown", (event) => this.onKey(event));
    this.find("figure").addEventListener("blur", () => this.say(null));
    this.find("details").addEventListener("toggle", () => this.fillTable());
    this.say(null);
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  // The row of /api/v1/status, and the server's time in ms.
  update(series, now, settled) {
    this.series = series;
    this.now = now;
    if (settled !== this.settled) this.loadedAt = 0;
    this.settled = settled;
    const last = series.last;
    this.places = last ? format.decimals(last.value) : undefined;
    this.find(".value").textContent = last ? format.number(last.value, this.places) : "–";
    this.find(".unit").textContent = last ? format.unit(series.unit) : "";
    this.find(".age").replaceChildren(...this.age(series, now));
    this.showFacts(series);
    this.showBadges(problems(series, now), series.state);
    if (this.visible) this.load();
  }

  age({ last, hourly }, now) {
    if (!last) return ["no value yet"];
    const t = Date.parse(last.time);
    const when = now - t < DAY / 2 ? format.clock : format.full; // a clock time alone is taken for today's
    return hourly ? ["mean of the hour from ", format.time(t, when(t))]
      : [format.time(t, `${format.length(now - t)} ago`)];
  }

  showBadges(found, state) {
    const badges = found.map(([text, title]) => [text, title, "bad"]);
    if (state === "disabled") badges.push(["disabled", "Not forecast", "plain"]);
    if (!badges.length) badges.push(["ok", "Nothing to report", "good"]);
    this.find(".badges").replaceChildren(...badges.map(([text, title, kind]) => {
      const badge = document.createElement("span");
      badge.className = `badge ${kind}`;
      badge.textContent = text;
      badge.title = title;
      return badge;
    }));
  }

  showFacts({ champion, quality, unit, alerts }) {
    const text = (selector, value, title = "") => {
      this.find(selector).textContent = value;
      this.find(selector).title = title;
    };
    text(".model", champion ? `${champion.algorithm} v${champion.version}` : "none yet",
      champion ? "Algorithm and version that answers" : "A series gets its first model after 24 complete hours");
    const mae = quality?.mae_12h;
    text(".error", Number.isFinite(mae) ? format.quantity(mae, unit, format.errorPlaces(mae)) : "–",
      Number.isFinite(mae) ? "Mean absolute error of the stored forecasts over the last 12 hours" : NO_SCORE);
    const skill = quality?.n < SKILL_HOURS ? null : format.skill(quality?.skill_24h);
    text(".skill", skill?.text ?? "–", skill?.words ?? `Known when ${SKILL_HOURS} hours that were forecast have passed`);
    text(".alerts", alerts > 0 ? String(alerts) : "none");
  }

  // Called as the card comes into view and leaves it.
  setVisible(visible) {
    this.visible = visible;
    if (visible && this.series) this.load();
  }

  async load() {
    if (this.loading || Date.now() - this.loadedAt < PLOT_AGE) return;
    this.loading = true;
    const to = this.now, from = to - DAY;
    const asked = await Promise.allSettled([
      get("/api/v1/history", { series: this.name, from: new Date(from).toISOString(),
        to: new Date(to).toISOString(), agg: "1h" }),
      get("/api/v1/forecasts", { series: this.name, horizon: 24 }),
    ]);
    this.loading = false;
    this.loadedAt = Date.now();
    const [history, forecast] = asked.map((a) => (a.status === "fulfilled" ? a.value : null));
    const [noHistory, noForecast] = asked.map((a) => a.reason);
    const broken = [noHistory, noForecast].find((r) => r && r.kind !== "none");
    if (broken) this.loadedAt = 0; // again at the next refresh
    if (broken && this.data) return; // the old plot is better than none
    this.history = (history?.points ?? []).filter((p) => p.value !== null)
      .map((p) => ({ t: Date.parse(p.time) / 1000, value: p.value }));
    this.forecast = (forecast?.points ?? []).filter((p) => p.yhat !== null && Date.parse(p.time) >= from)
      .map((p) => ({ t: Date.parse(p.time) / 1000, yhat: p.yhat, lower: p.yhat_lower, upper: p.yhat_upper }));
    this.why = broken ? broken.message : noForecast instanceof Failure ? noForecast.message : "";
    this.redraw();
    this.fillTable();
  }

  redraw() {
    const box = this.find(".plot");
    this.plot?.destroy();
    this.plot = null;
    this.data = join(this.history ?? [], this.forecast ?? []);
    box.replaceChildren();
    this.element.classList.toggle("empty", this.data[0].length < 2);
    if (this.data[0].length < 2) {
      const text = document.createElement("p");
      const old = this.series?.last && this.now - Date.parse(this.series.last.time) > DAY;
      text.textContent = this.why || (old ? "Nothing was measured in the last day." : "Not enough hours to draw yet.");
      box.append(text);
      box.removeAttribute("role");
      box.removeAttribute("aria-label");
    } else {
      box.setAttribute("role", "img");
      box.setAttribute("aria-label", `Plot of ${this.name}. ${this.sentence()}`);
      this.plot = draw(box, this.data, () => this.now / 1000, (index) => this.say(index));
    }
    this.say(null);
  }

  resize() {
    if (this.plot) resize(this.plot, this.find(".plot"));
  }

  // What the plot shows, in a sentence.
  sentence() {
    const unit = this.series?.unit;
    const span = (low, high) => `${format.number(low, this.places)} to ${format.quantity(high, unit, this.places)}`;
    const parts = [];
    const values = (this.history ?? []).map((p) => p.value);
    if (values.length) parts.push(`Last day ${span(Math.min(...values), Math.max(...values))}.`);
    const end = this.forecast?.at(-1);
    if (end) {
      parts.push(`Expected ${format.day(end.t * 1000)}: ${format.number(end.yhat, this.places)}, ` +
        `range ${span(end.lower, end.upper)}.`);
    } else if (this.why && this.data?.[0].length >= 2) {
      parts.push(this.why);
    }
    return parts.join(" ");
  }

  // The line below the plot: about the point under the cursor, or about all.
  say(index) {
    this.index = index;
    const caption = this.find("figcaption");
    if (index === null || !this.data || this.data[0][index] === undefined) {
      caption.textContent = this.sentence();
      return;
    }
    const [t, value, lower, upper, yhat] = this.data.map((column) => column[index]);
    const say = (x) => format.quantity(x, this.series.unit, this.places);
    const words = value !== null ? `measured ${say(value)}`
      : `expected ${say(yhat)}, range ${format.number(lower, this.places)} to ${say(upper)}`;
    caption.replaceChildren(format.time(t * 1000, format.full(t * 1000)), `: ${words}`);
  }

  onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || !this.plot) return;
    event.preventDefault();
    const last = this.data[0].length - 1;
    const from = this.index ?? (this.history.length ? this.history.length - 1 : 0);
    point(this.plot, Math.min(last, Math.max(0, from + step)));
  }

  // The table twin, made when it is opened.
  fillTable() {
    const box = this.find(".scroll");
    if (!this.find("details").open || !this.data) return;
    const table = document.createElement("table");
    table.createCaption().textContent = `${this.name}, hour by hour`;
    const head = table.createTHead().insertRow();
    for (const text of ["Hour", "Measured", "Forecast", "From", "To"]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = text;
      head.append(cell);
    }
    const body = table.createTBody();
    const inForecast = new Map(this.forecast.map((p) => [p.t, p]));
    const measured = new Map(this.history.map((p) => [p.t, p.value]));
    for (const t of this.data[0]) {
      const row = body.insertRow(), p = inForecast.get(t);
      row.insertCell().append(format.time(t * 1000, format.full(t * 1000)));
      for (const value of [measured.get(t), p?.yhat, p?.lower, p?.upper])
        row.insertCell().textContent = value === undefined ? "" : format.number(value, this.places);
    }
    box.replaceChildren(table);
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `Table of ${this.name}`);
  }
}
