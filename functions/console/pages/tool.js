/**
 * What every page stands on: its sentences, safe DOM, the session of this launch, the API, and manners in a frame.
 *
 * Whatever comes from the API is shown as text and never as markup: `h` knows text nodes only.
 */

/** Every sentence a person reads. `{name}` is filled in; `{one, other, ...}` is chosen by the number `n`. */
const SENTENCES = {
  en: {
    // anywhere
    reopen_title: "Open this activity again from your course",
    reopen: "This page works only when it is opened from there.",
    reopen_ended: "This visit has ended, as each does after some hours.",
    network_title: "No connection",
    network: "The server could not be reached. Check your connection, then try once more.",
    server_title: "Something went wrong on our side",
    server: "It may help to try once more in a moment.",
    refused_title: "This did not work",
    support: "If you ask for help, mention this:",
    code: "code {code}",
    support_id: "support id {id}",
    retry: "Try once more",

    // activity
    question_of: "Question {number} of {total}",
    points: { one: "{n} point", other: "{n} points" },
    choose_all: "choose all that apply",
    read_as: "Read as {quantity}.",
    not_a_number: "Write a number here, such as 12.5.",
    answered: "{done} of {total} answered",
    submit: "Submit",
    submitting: "Submitting …",
    unanswered: { one: "{n} question has no answer yet", other: "{n} questions have no answer yet" },
    unanswered_advice: "You can go back to it, or submit as it is.",
    submit_anyway: "Submit anyway",
    keep_answering: "Keep answering",
    result: "Your result",
    mark: "You have {given} of {maximum}",
    handed_in: "Handed in {when}",
    try_again: "Try again",
    preview: "Preview",
    preview_advice: "This is what learners see. Nothing can be answered or recorded here.",
    back_to_marks: "Back to the marks",
    not_chosen_title: "Nothing here yet",
    not_chosen: "Your teacher has not chosen an activity for this link yet.",
    look_again: "Look again",

    // where a mark is, as the learner reads it
    own_waiting: "Your mark is on its way to your teacher's gradebook.",
    own_sent: "Your teacher's gradebook has it.",
    own_refused: "Your mark is safe here, but your teacher's gradebook did not take it.",
    own_not_sent: "Your mark is kept here and was not sent to a gradebook.",
    own_slow: "This takes longer than usual. You can leave this page: the mark is sent without you.",

    // where a mark is, as staff read it
    state_waiting: "On its way",
    state_sent: "In the gradebook",
    state_refused: "Not accepted",
    state_not_sent: "Not sent",

    // marks
    marks_title: "Marks",
    learner: "Learner",
    mark_column: "Mark",
    handed_in_column: "Handed in",
    gradebook_column: "Gradebook",
    mark_of: "{given} of {maximum}",
    handed_in_count: { one: "{n} learner has handed in", other: "{n} learners have handed in" },
    nobody: "No one has handed in yet",
    nobody_advice: "Each learner appears here as soon as they submit.",
    refresh: "Refresh",
    refreshed: "Up to date at {when}",
    preview_questions: "Preview the questions",
    choose_title: "Choose an activity for this link",
    choose_advice: "Learners who open this link get the activity that you choose.",
    choose: "Use this activity",
    choose_other: "Choose another activity",
    back: "Back",

    // the catalogue
    search: "Search activities",
    activities: "Activities",
    found: { one: "{n} activity", other: "{n} activities" },
    found_more: "The first {n} activities",
    found_none: "No activity matches “{query}”.",
    catalogue_empty: "There are no activities yet.",
    more: "Show more",
    questions: { one: "{n} question", other: "{n} questions" },
    adds_column: { one: "adds a gradebook column of {n} point", other: "adds a gradebook column of {n} points" },

    // picker
    picker_title_one: "Choose an activity",
    picker_title_many: "Choose activities",
    picker_into: "It becomes part of “{course}”.",
    picker_into_many: "They become part of “{course}”.",
    chosen: { one: "{n} chosen: {titles}", other: "{n} chosen: {titles}" },
    chosen_none: "Nothing chosen yet",
    add: "Add to course",
    cancel: "Cancel",
    wrong_place_title: "Activities do not fit here",
    wrong_place: "This place in your course takes no activities. Try to add one as course content or as an assignment.",

    // welcome
    welcome_title: "Welcome",
    welcome_name: "Welcome, {name}",
    welcome: "You are signed in, but your role in this course does not open anything here.",
    welcome_course: "You are signed in, but your role in “{course}” does not open anything here.",
    roles_received: "Your course sent these roles for you:",
    roles_none: "Your course sent no role for you.",
    whom_to_ask:
      "If you expected something else, ask the teacher of the course to check your role, " +
      "or those who look after your learning platform.",
    details: "Details for them",
    platform: "Platform",
    client: "Client id",
    deployment: "Deployment",
    launch: "Launch",
    role_in_course: "{role} (in the course)",
    role_in_institution: "{role} (in the institution)",
    role_in_system: "{role} (in the system)",
  },
};

const language = document.documentElement.lang in SENTENCES ? document.documentElement.lang : "en";
const plurals = new Intl.PluralRules(language);
let places = [language, ...navigator.languages];

/** The sentence of this key, filled in. */
export function t(key, values = {}) {
  const entry = SENTENCES[language][key] ?? key;
  const sentence = typeof entry === "string" ? entry : (entry[plurals.select(values.n)] ?? entry.other);
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numeral(value) : String(value);
  });
}

/** The words for a mark's delivery state; a state that has no sentence yet is shown by its name. */
export function stateWords(family, state) {
  const key = `${family}_${state}`;
  return key in SENTENCES[language] ? t(key) : String(state).replaceAll("_", " ");
}

/** Why a mark is where it is: the API's own sentence, where the state alone does not tell. */
export function explanation({ state, sentence, cause }) {
  const speaksForItself = state === "sent" || (state === "waiting" && !cause);
  return speaksForItself ? null : sentence;
}

/** Numbers and dates follow the platform's locale when it names one, else the browser's. */
export function speakAs(locale) {
  try {
    places = [...Intl.getCanonicalLocales((locale ?? "").replaceAll("_", "-")), ...places];
  } catch {
    // A locale that no browser knows: keep what we have.
  }
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
  const headers = { authorization: `Bearer ${session.token}`, accept: "application/json, application/problem+json" };
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

/** Runs a page: `load` fetches and shows. Without a session, or when a call fails, the page says what to do. */
export async function start(load) {
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
