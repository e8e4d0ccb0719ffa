/**
 * What every page stands on: its language, safe DOM, the session of this launch, the API, and manners in a frame.
 *
 * Whatever comes from the API is shown as text and never as markup: `h` knows text nodes only.
 */

import { words as english } from "/app/words.en.js";

const LANGUAGES = ["en", "de", "es", "nb", "fr", "ar", "zh"]; // each but English in words.TAG.js, fetched when spoken
const SAME = { no: "nb", nn: "nb" };
const RIGHT_TO_LEFT = ["ar"];

let language = "en";
let words = english;
let plurals = new Intl.PluralRules(language);
let places = [...navigator.languages, language];

/**
 * Speaks the language of this locale if it is one of ours, else the browser's, else English. Numbers and dates follow
 * the locale itself where the browser knows it.
 */
export async function speakAs(locale) {
  const wishes = [...canonical(locale), ...navigator.languages.flatMap(canonical), "en"];
  const wished = wishes.map((wish) => wish.split("-")[0]).map((tag) => SAME[tag] ?? tag);
  const tag = wished.find((wish) => LANGUAGES.includes(wish));
  try {
    words = tag === "en" ? english : (await import(`/app/words.${tag}.js`)).words;
    language = tag;
  } catch {
    // The file did not come: what is spoken now is better than nothing.
  }
  places = wishes;
  plurals = new Intl.PluralRules(language);
  document.documentElement.lang = language;
  document.documentElement.dir = isRightToLeft() ? "rtl" : "ltr";
}

function canonical(locale) {
  try {
    return Intl.getCanonicalLocales((locale ?? "").replaceAll("_", "-"));
  } catch {
    return []; // no locale at all
  }
}

const isRightToLeft = () => RIGHT_TO_LEFT.includes(language);

/** The sentence of this key, filled in. */
export function t(key, values = {}) {
  const entry = words[key] ?? english[key] ?? key;
  const sentence = typeof entry === "string" ? entry : (entry[plurals.select(values.n)] ?? entry.other);
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (typeof value === "number") return numeral(value);
    return isRightToLeft() ? `\u2068${value}\u2069` : String(value); // isolated: a Latin name keeps its own direction
  });
}

/** The words for a mark's delivery state; a state that has no sentence yet is shown by its name. */
export function stateWords(family, state) {
  const key = `${family}_${state}`;
  return key in english ? t(key) : String(state).replaceAll("_", " ");
}

/**
 * Why a mark is where it is, where the state alone does not tell. The API says it in English; the other languages say
 * it by its cause.
 */
export function explanation({ state, sentence, cause }) {
  const speaksForItself = state === "sent" || (state === "waiting" && !cause);
  if (speaksForItself) return null;
  const ours = [`why_${cause}`, `why_${state}`].find((key) => key in words);
  return ours ? t(ours) : sentence;
}

/** How often a mark was tried, and when it is tried next; null while the first try is all there is to say. */
export function tries({ state, cause, attempts = 0, next_try_at: next, refused_at: refused }) {
  if (state !== "refused" && !(state === "waiting" && cause)) return null;
  const parts = [
    attempts > 0 && t("tried", { n: attempts }),
    refused && t("last_try", { when: moment(refused) }),
    next && t("next_try", { when: moment(next) }),
  ];
  return parts.filter(Boolean).join(" · ") || null;
}

export function numeral(value, decimals = 2) {
  return new Intl.NumberFormat(places, { maximumFractionDigits: decimals }).format(value);
}

export function moment(iso, style = { dateStyle: "medium", timeStyle: "short" }) {
  const date = new Date(iso);
  return Number.isNaN(date.valueOf()) ? String(iso) : new Intl.DateTimeFormat(places, style).format(date);
}

/**
 * An element. Attributes that begin with "on" are listeners; true stands for an empty attribute; null, undefined
 * and false leave it out. Children are elements or texts.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Moves the reader to a heading or a field: focus, and into view. */
export function goTo(element) {
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
}

// The session. `?launch=ID` names a token in sessionStorage; where storage is denied, the token came in the fragment,
// leaves the URL at once and lives in memory only.

function recalled() {
  const carried = new URLSearchParams(location.hash.slice(1)).get("session");
  if (carried !== null) history.replaceState(null, "", location.pathname + location.search);
  const launchId = new URLSearchParams(location.search).get("launch") ?? carried?.split(".")[0] ?? "";
  const kept = remembered(`lti:${launchId}`);
  return { launchId, token: kept ?? carried, inMemoryOnly: kept === null };
}

/** What this tab remembers under a name; null when nothing, or when storage is denied. */
export function remembered(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Remembers a text in this tab, or forgets it (null). Where storage is denied this does nothing. */
export function remember(name, text) {
  try {
    if (text === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
  } catch {
    // Nothing is lost but the comfort.
  }
}

export const session = recalled();

function addressOf(path) {
  return `${path}?launch=${encodeURIComponent(session.launchId)}`;
}

/** Goes to another page of this launch. The token travels, in the fragment, only where storage is denied. */
export function visit(path) {
  const carried = session.inMemoryOnly ? `#session=${encodeURIComponent(session.token)}` : "";
  location.assign(addressOf(path) + carried);
}

export function pageLink(path, text) {
  const onclick = (event) => {
    event.preventDefault();
    visit(path);
  };
  return h("a", { href: addressOf(path), ...(session.inMemoryOnly && { onclick }) }, text);
}

/** A failed call, in words for people: problem+json as the API sends it, or what came instead of an answer. */
export class Problem extends Error {
  constructor({ title, detail, code, supportId, status = 0 }) {
    super(title);
    Object.assign(this, { title, detail, code, supportId, status });
  }

  get mayPass() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Calls the API as this session. Returns the answer's JSON, null for 204. Throws a Problem. */
export async function api(path, { method = "GET", body } = {}) {
  const headers = {
    authorization: `Bearer ${session.token}`,
    accept: "application/json, application/problem+json",
    "accept-language": language,
  };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  let answer = null;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    answer = text === "" ? null : parsed(text);
  } catch {
    throw new Problem({ title: t("network_title"), detail: t("network"), code: "network" });
  }
  if (response.ok && answer !== undefined) return answer;
  const { title, detail, code, support_id: supportId } = answer ?? {};
  const status = response.ok ? 502 : response.status;
  if (status === 401) {
    throw new Problem({ title: t("reopen_title"), detail: t("reopen_ended"), code, supportId, status });
  }
  throw new Problem({
    title: title ?? t(status >= 500 ? "server_title" : "refused_title"),
    detail: detail ?? (status >= 500 ? t("server") : undefined),
    code: code ?? `http_${status}`,
    supportId,
    status,
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not ours: a proxy's page, perhaps.
  }
}

/** Goes on to the vendor's own app, which learns of this launch by a code that works once. */
export async function depart() {
  const { url } = await api("/api/departure", { method: "POST" });
  location.replace(url);
}

/** A problem as a panel. `heading` is "h1" when it is all that the page shows; `retry` runs when trying may help. */
export function problemPanel(problem, { heading = "h2", retry } = {}) {
  const { title, detail, code, supportId } = problem;
  const traces = [code && t("code", { code }), supportId && t("support_id", { id: supportId })].filter(Boolean);
  const traced = h("span", { class: "traced" }, traces.join(" · "));
  return h(
    "section",
    { class: "panel problem", role: "alert" },
    h(heading, { tabindex: "-1" }, title),
    detail && h("p", {}, detail),
    traces.length > 0 && h("p", { class: "quiet" }, `${t("support")} `, traced),
    retry && problem.mayPass && h("button", { type: "button", onclick: retry }, t("retry")),
  );
}

/** A page that says one calm thing. */
export function notice(title, ...children) {
  return h("section", { class: "panel" }, h("h1", { tabindex: "-1" }, title), ...children);
}

/** A mark's delivery state: a coloured dot for the eye, and always the words. */
export function stateMark(state, words) {
  return h("span", { class: "state", "data-state": state }, h("span", { class: "dot", "aria-hidden": "true" }), words);
}

const main = document.querySelector("main");

/** Replaces what the page shows. */
export function show(...children) {
  main.replaceChildren(...children);
  main.removeAttribute("aria-busy");
}

export function nameThisPage(title) {
  document.title = title;
}

const speaking = speakAs(); // the browser's language, until a session names another

/** Runs a page: `load` fetches and shows. Without a session, or when a call fails, the page says what to do. */
export async function start(load) {
  await speaking;
  for (const name of ["waiting", "late"]) main.querySelector(`.${name}`)?.replaceChildren(t(name));
  if (!session.token) {
    show(notice(t("reopen_title"), h("p", {}, t("reopen"))));
    return;
  }
  try {
    await load();
  } catch (error) {
    showProblem(error, () => startAgain(load));
  }
}

/** Runs a page anew because its reader asked for it, so the reader is taken to its heading. */
export async function startAgain(load) {
  await start(load);
  goTo(main.querySelector("h1"));
}

/** Gives the whole page to a failure. Anything but a Problem is a fault of these pages; the console gets it too. */
export function showProblem(error, retry) {
  if (!(error instanceof Problem)) console.error(error);
  show(problemPanel(asProblem(error), { heading: "h1", retry }));
}

export function asProblem(error) {
  if (error instanceof Problem) return error;
  return new Problem({ title: t("server_title"), detail: t("server"), code: "page" });
}

// An LMS sizes our frame by what we ask for. The height is no secret, so any parent may hear it.
if (window.parent !== window) {
  let asked = 0;
  const ask = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (height === asked) return;
    asked = height;
    window.parent.postMessage({ subject: "lti.frameResize", height }, "*");
  };
  new ResizeObserver(ask).observe(document.documentElement);
}
