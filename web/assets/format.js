// SPDX-License-Identifier: GPL-3.0-or-later
// format: numbers, units and times as people read them. Nothing here touches the page.

const UNITS = {
  celsius: "°C", percent: "%", hectopascal: "hPa", "parts per million": "ppm", lux: "lx",
  "microgram per cubic metre": "µg/m³", "metre per second squared": "m/s²", decibel: "dB",
  volt: "V", ampere: "A", watt: "W", "watt-hour": "Wh", "metre per second": "m/s",
  millimetre: "mm", dBm: "dBm", level: "", "0 or 1": "",
};

export const unit = (name) => UNITS[name] ?? name ?? "";

// The same number of decimals for a whole series, from its size.
export function decimals(value) {
  const size = Math.abs(value);
  return !Number.isFinite(size) ? 0 : size >= 100 ? 0 : size >= 1 ? 1 : size >= 0.1 ? 2 : size === 0 ? 1 : 4;
}

const numberFormats = new Map();
export function number(value, places) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const digits = places ?? decimals(value);
  if (!numberFormats.has(digits)) {
    numberFormats.set(digits, new Intl.NumberFormat(undefined,
      { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  return numberFormats.get(digits).format(value);
}

// "21.4 °C", "48.2 %"
export const quantity = (value, unitName, places) =>
  `${number(value, places)}${unit(unitName) ? `\u00a0${unit(unitName)}` : ""}`;

// Two digits of an error are enough.
export const errorPlaces = (value) => (value >= 10 ? 0 : value >= 1 ? 1 : 2);

const NAMES = { co2: "CO₂", co: "CO", no2: "NO₂", o3: "O₃", so2: "SO₂", ch4: "CH₄", tvoc: "TVOC",
  lpg: "LPG", pm1: "PM1", pm25: "PM2.5", pm4: "PM4", pm10: "PM10" };

// "soil_moisture_2" as people write it: "soil moisture 2".
export function name(quantityName) {
  const [, stem, index] = /^(.*?)(?:_(\d+))?$/.exec(quantityName);
  return `${NAMES[stem] ?? stem.replaceAll("_", " ")}${index ? ` ${index}` : ""}`;
}

// A service's message as a sentence among others.
export const sentence = (text) =>
  text ? text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".") : "";

export function length(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

const format = (options) => {
  const made = new Intl.DateTimeFormat(undefined, options);
  return (ms) => made.format(ms);
};
export const clock = format({ hour: "2-digit", minute: "2-digit" });
export const hour = format({ hour: "numeric" });
export const day = format({ weekday: "short", hour: "2-digit", minute: "2-digit" });
export const full = format({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
export const utc = (ms) => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;

// A <time> element in the reader's zone, with UTC in its title.
export function time(ms, text) {
  const element = document.createElement("time");
  element.dateTime = new Date(ms).toISOString();
  element.title = utc(ms);
  element.textContent = text;
  return element;
}

// "31 % better than …": skill is 1 - error / error of persistence.
export function skill(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  const part = Math.round(Math.abs(value) * 100);
  if (part === 0) return { text: "±0 %", words: "as good as repeating the last value" };
  return value > 0
    ? { text: `+${part} %`, words: `${part} % better than repeating the last value` }
    : { text: `−${part} %`, words: `${part} % worse than repeating the last value` };
}
