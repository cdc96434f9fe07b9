// SPDX-License-Identifier: GPL-3.0-or-later
// chart: one series' last day and next day, drawn with uPlot (a classic script: it defines
// the global uPlot). Time is in epoch seconds here, as uPlot wants it.
/* global uPlot */

import { hour } from "./format.js";

const HEIGHT = 150;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Measured and forecast points on one axis: [times, measured, lower, upper, forecast].
// The forecast's line and band start at the last measured point, so that they meet.
export function join(history, forecast) {
  const rows = new Map();
  for (const p of history) rows.set(p.t, [p.value, null, null, null]);
  const last = history.at(-1);
  if (last && forecast.length && last.t < forecast[0].t) rows.get(last.t).fill(last.value, 1);
  for (const p of forecast) {
    const row = rows.get(p.t) ?? [null, null, null, null];
    rows.set(p.t, [row[0], p.lower, p.upper, p.yhat]);
  }
  const times = [...rows.keys()].sort((a, b) => a - b);
  return [times, ...[0, 1, 2, 3].map((i) => times.map((t) => rows.get(t)[i]))];
}

// A dotted line where the present is.
function nowLine(now) {
  return {
    hooks: {
      drawClear: (u) => {
        const x = Math.round(u.valToPos(now(), "x", true));
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
        u.ctx.save();
        u.ctx.strokeStyle = colour("--faint");
        u.ctx.setLineDash([2, 4]);
        u.ctx.beginPath();
        u.ctx.moveTo(x, u.bbox.top);
        u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
        u.ctx.stroke();
        u.ctx.restore();
      },
    },
  };
}

// Draws into element; onPoint(index or null) is told where the cursor is.
export function draw(element, data, now, onPoint) {
  const ink = colour("--soft"), grid = { stroke: colour("--line"), width: 1 };
  const font = "11px system-ui, sans-serif";
  const measured = colour("--measured"), forecast = colour("--forecast");
  return new uPlot({
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 14, 0, 0],
    plugins: [nowLine(now)],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    hooks: { setCursor: [(u) => onPoint(u.cursor.idx ?? null)] },
    axes: [
      { stroke: ink, grid: { show: false }, ticks: grid, font, size: 26, space: 46,
        incrs: [3, 6, 12, 24].map((h) => h * 3600), values: (u, splits) => splits.map((t) => hour(t * 1000)) },
      { stroke: ink, grid, ticks: { show: false }, font, size: 44, space: 28 },
    ],
    scales: { y: { range: (u, low, high) => {
      const room = Math.max((high - low) * 0.08, 1e-9 + Math.abs(high) * 0.001);
      return [low - room, high + room];
    } } },
    series: [
      {},
      { stroke: measured, width: 2, points: { show: false } },
      { stroke: null, points: { show: false } },
      { stroke: null, points: { show: false } },
      { stroke: forecast, width: 2, dash: [6, 4], points: { show: false } },
    ],
    bands: [{ series: [3, 2], fill: colour("--band") }],
  }, data, element);
}

export function resize(plot, element) {
  const width = Math.max(200, element.clientWidth);
  if (width !== plot.width) plot.setSize({ width, height: HEIGHT });
}

// Puts the cursor on a point, as the arrow keys do.
export function point(plot, index) {
  plot.setCursor({ left: plot.valToPos(plot.data[0][index], "x"), top: 10 });
}
