// SPDX-License-Identifier: GPL-3.0-or-later
// api: GET requests to the services, with the reader's token where one is needed.

import { sentence } from "./format.js";

const TOKEN = "fieldcast-token";
const TIMEOUT_MS = 15000;
const AT_ONCE = 4;

// What went wrong: kind is "offline" (no answer), "token" (401), "none" (404, 409: there is
// nothing yet) or "server"; message is a sentence for people.
export class Failure extends Error {
  constructor(kind, message, status = 0) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN) ?? "",
  set: (text) => sessionStorage.setItem(TOKEN, text),
  forget: () => sessionStorage.removeItem(TOKEN),
};

const OWN_WORDS = {
  401: "The server wants an access token.",
  403: "This token does not reach that far.",
  429: "The server asks for fewer requests; trying again later.",
};

// The services answer errors as problem+json with a sentence in `message`.
async function failure(response) {
  let text = "";
  try {
    const problem = await response.json();
    text = problem.message || problem.detail || problem.title || "";
  } catch {
    // not JSON: the sentence below has to do
  }
  text ||= OWN_WORDS[response.status] ?? `The server answered with status ${response.status}.`;
  const kind = response.status === 401 ? "token"
    : response.status === 404 || response.status === 409 ? "none" : "server";
  return new Failure(kind, sentence(text), response.status);
}

async function request(path, parameters) {
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const headers = { Accept: "application/json" };
  if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
  let response;
  try {
    response = await fetch(url, { headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new Failure("offline", error.name === "TimeoutError"
      ? `The server did not answer within ${TIMEOUT_MS / 1000} s.`
      : "The server cannot be reached.");
  }
  if (!response.ok) throw await failure(response);
  try {
    return await response.json();
  } catch {
    throw new Failure("server", "The server's answer was cut short or is not JSON.");
  }
}

let running = 0;
const waiting = [];

// At most AT_ONCE requests are under way; the rest wait for their turn.
export async function get(path, parameters = {}) {
  if (running >= AT_ONCE) await new Promise((go) => waiting.push(go));
  else running++;
  try {
    return await request(path, parameters);
  } finally {
    const next = waiting.shift();
    if (next) next(); // hands its place on
    else running--;
  }
}
