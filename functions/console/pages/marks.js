/**
 * The staff's page. Its parts go by right: Deliver (what the link opens), Monitor (who has begun and handed in), Grade
 * (who has which mark and where it is), Report (marks to read). An unbound link gets its activity here.
 */

import {
  api, asProblem, explanation, goTo, h, moment, nameThisPage, notice, numeral, pageLink, Problem, problemPanel, show,
  speakAs, start, startAgain, stateMark, stateWords, t, tries,
} from "/app/tool.js";
import { chooser } from "/app/catalogue.js";

const STATES = ["waiting", "sent", "refused", "held", "superseded", "not_sent"];
const SENT_AGAIN = ["refused", "held"];

let rights = [];
const may = (...some) => some.some((right) => rights.includes(right));
const fetchAll = () => api(may("grade", "report") ? "/api/marks" : "/api/progress");

async function load() {
  const launch = await api("/api/session");
  rights = launch.rights;
  const found = await fetchAll().catch((error) => error);
  await speakAs(launch.locale);
  const isUnbound = found instanceof Problem && found.code === "activity_not_bound";
  if (isUnbound && may("choose")) showChooser();
  else if (isUnbound) showNotChosen();
  else if (found instanceof Error) throw found;
  else showParts(found);
}

function showNotChosen() {
  const again = h("button", { type: "button", onclick: () => startAgain(load) }, t("look_again"));
  show(notice(t("not_chosen_title"), h("p", {}, t("not_chosen_staff")), again));
}

function showParts(found) {
  const { activity } = found;
  nameThisPage(t("marks_of", { title: activity.title }));
  const heading = h("h1", { tabindex: "-1", dir: "auto" }, activity.title);
  const parts = [may("monitor") && t("part_monitor"), may("grade") && t("part_grade")].filter(Boolean);
  const deliver = h("div", {});
  const report = h("div", {});
  const list = learnerList({
    onfound: (again) => {
      if (may("deliver")) deliver.replaceChildren(deliverPart(again));
      if (may("report")) report.replaceChildren(reportPart(again.learners));
    },
  });
  list.take(found);
  show(
    h("header", {}, h("p", { class: "quiet" }, t("marks_title")), heading),
    deliver,
    report,
    h("section", { "aria-labelledby": "part" }, h("h2", { id: "part" }, parts.join(" & ") || t("marks_title")), list.element),
  );
  return heading;
}

function deliverPart({ activity, named_by_link: namedByLink, learners, begun = [] }) {
  const isElsewhere = activity.kind === "external";
  const size = isElsewhere ? t("external") : t("questions", { n: activity.questions });
  const facts = [size, activity.score_maximum && t("points", { n: activity.score_maximum })].filter(Boolean);
  const look = isElsewhere ? t("open_external", { title: activity.title }) : t("preview_questions");
  const isFree = !namedByLink && learners.length + begun.length === 0;
  const choose = () => goTo(showChooser({ mayGoBack: true }));
  return h(
    "section",
    { class: "panel part", "aria-labelledby": "deliver" },
    h("h2", { id: "deliver" }, t("part_deliver")),
    h("p", {}, t("delivered"), " ", h("strong", { dir: "auto" }, activity.title)),
    h("p", { class: "quiet" }, facts.join(" · ")),
    may("choose") && h("p", { class: "quiet" }, t("course_link"), " ", h("code", {}, `${location.origin}/activities/${activity.id}`)),
    may("choose") && namedByLink && h("p", { class: "quiet" }, t("named_by_link")),
    h(
      "div",
      { class: "buttons" },
      may("grade") && pageLink("/app/activity", look),
      may("choose") && isFree && h("button", { type: "button", class: "link", onclick: choose }, t("choose_other")),
    ),
  );
}

function reportPart(learners) {
  const shares = learners.map((learner) => (learner.score_maximum ? learner.score_given / learner.score_maximum : 0));
  const percent = (share) => numeral(share * 100, 1) + " %";
  const facts = [[t("report_handed_in"), numeral(learners.length)]];
  if (shares.length > 0) {
    facts.push([t("report_mean"), percent(shares.reduce((sum, share) => sum + share, 0) / shares.length)]);
    facts.push([t("report_highest"), percent(Math.max(...shares))], [t("report_lowest"), percent(Math.min(...shares))]);
    facts.push([stateWords("state", "sent"), numeral(learners.filter(({ delivery }) => delivery.state === "sent").length)]);
  }
  const rows = facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h(
    "section",
    { class: "panel part", "aria-labelledby": "report" },
    h("h2", { id: "report" }, t("part_report")),
    h("dl", { id: "numbers" }, ...rows),
  );
}

/** Toolbar, filters and table; `take` shows what the API sent, `onfound` hears of it. */
function learnerList({ onfound }) {
  const seesMarks = may("grade", "report");
  const news = h("p", { class: "quiet", role: "status" });
  const trouble = h("div", {});
  const shown = h("div", {});
  const refresh = h("button", { type: "button" }, t("refresh"));
  const resendAll = h("button", { type: "button", onclick: () => resend() });
  const download = h("button", { type: "button", class: "link", onclick: () => save(everyone) }, t("download"));
  const search = h("input", { type: "search", id: "find", autocomplete: "off", maxlength: "100" });
  const states = h("select", { id: "state" });
  const filters = h(
    "div",
    { class: "filters", role: "search" },
    h("div", {}, h("label", { for: "find" }, t("find_learner")), search),
    seesMarks && h("div", {}, h("label", { for: "state" }, t("gradebook_column")), states),
  );
  const more = h("div", { class: "buttons" });
  const above = h("div", {});
  let everyone = [];

  async function again(words, before = async () => {}) {
    const buttons = [...toolbar.querySelectorAll("button"), ...shown.querySelectorAll("button")];
    buttons.forEach((button) => { button.disabled = true; });
    trouble.replaceChildren();
    try {
      const answer = await before();
      take(await fetchAll());
      news.textContent = words(answer);
    } catch (error) {
      trouble.replaceChildren(problemPanel(asProblem(error)));
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
      goTo(refresh);
    }
  }

  const resend = (users) =>
    again(
      ({ resent }) => t("resent", { n: resent }),
      () => api("/api/marks/resend", { method: "POST", body: users ? { users } : {} }),
    );
  refresh.addEventListener("click", () =>
    again(() => t("refreshed", { when: moment(new Date(), { timeStyle: "medium" }) })),
  );
  search.addEventListener("input", () => filter());
  states.addEventListener("change", () => filter());

  function take(found) {
    const { learners, begun = [] } = found;
    const byName = new Intl.Collator().compare;
    everyone = [...learners, ...begun].sort((one, other) => byName(nameOf(one), nameOf(other)));
    const stuck = learners.filter(({ delivery }) => delivery?.state === "refused").length; // the held: a teacher decided
    resendAll.textContent = t("resend_all", { n: stuck });
    const useful = [may("grade") && stuck > 0 && resendAll, seesMarks && learners.length > 0 && download];
    more.replaceChildren(...useful.filter(Boolean));
    above.replaceChildren(...(everyone.length > 1 ? [filters] : []));
    const chosen = states.value;
    const present = seesMarks ? statesOf(learners) : [];
    const options = [["", t("all_states")], ...present.map((state) => [state, stateWords("state", state)])];
    states.replaceChildren(...options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)));
    onfound(found);
    filter({ silently: true });
  }

  function filter({ silently = false } = {}) {
    const wanted = search.value.trim().toLocaleLowerCase();
    const fits = (learner) =>
      nameOf(learner).toLocaleLowerCase().includes(wanted) &&
      (states.value === "" || learner.delivery?.state === states.value);
    const found = everyone.filter(fits);
    shown.replaceChildren(...(everyone.length === 0 ? [nobody()] : [summary(everyone), table(found, seesMarks, resend)]));
    if (!silently) news.textContent = t("shown", { n: found.length, total: everyone.length });
  }

  const toolbar = h("div", { class: "buttons" }, refresh, more, news);
  return { element: h("div", { class: "learners" }, toolbar, trouble, above, shown), take };
}

const nameOf = (learner) => learner.name || learner.user_id;
const isStuck = ({ delivery }) => SENT_AGAIN.includes(delivery?.state);
const statesOf = (learners) => [
  ...new Set([...STATES, ...learners.map(({ delivery }) => delivery.state)]),
].filter((state) => learners.some(({ delivery }) => delivery.state === state));

function nobody() {
  return h("section", { class: "panel empty" }, h("h3", {}, t("nobody")), h("p", {}, t("nobody_advice")));
}

function summary(everyone) {
  const handedIn = everyone.filter((learner) => learner.submitted_at);
  const marked = everyone.filter((learner) => learner.delivery);
  const counts = statesOf(marked).map((state) => [state, marked.filter(({ delivery }) => delivery.state === state).length]);
  const begun = everyone.length - handedIn.length;
  return h(
    "ul",
    { class: "summary", id: "summary" },
    h("li", {}, t("handed_in_count", { n: handedIn.length })),
    begun > 0 && h("li", {}, t("begun_count", { n: begun })),
    ...counts.map(([state, n]) => h("li", {}, stateMark(state, t("state_count", { state: stateWords("state", state), n })))),
  );
}

// The roles are said aloud: a narrow frame lays rows out as blocks, and a table would then stop being one for readers.
function table(learners, seesMarks, resend) {
  const columns = seesMarks
    ? ["learner", "mark_column", "handed_in_column", "gradebook_column"]
    : ["learner", "begun_column", "handed_in_column"];
  const titles = columns.map((column) => h("th", { role: "columnheader", scope: "col" }, t(column)));
  const row = seesMarks ? (learner) => markRow(learner, resend) : progressRow;
  return h(
    "table",
    { role: "table", "aria-label": t("marks_title"), class: seesMarks ? null : "progress" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...titles)),
    h("tbody", { role: "rowgroup" }, ...learners.map(row)),
  );
}

const rowHead = (learner) =>
  h("th", { role: "rowheader", scope: "row" }, h(learner.name ? "bdi" : "code", {}, nameOf(learner)));
const cell = (...children) => h("td", { role: "cell" }, ...children);
const time = (iso) => h("time", { datetime: iso }, moment(iso));

function progressRow(learner) {
  const begun = learner.started_at ? [h("span", { class: "only-narrow" }, t("begun_column"), " "), time(learner.started_at)] : ["–"];
  const handedIn = learner.submitted_at ? [h("span", { class: "only-narrow" }, t("handed_in_column"), " "), time(learner.submitted_at)] : ["–"];
  return h("tr", { role: "row" }, rowHead(learner), cell(...begun), cell(...handedIn));
}

function markRow(learner, resend) {
  if (!learner.submitted_at) {
    const begun = h("span", { class: "quiet" }, t("begun", { when: moment(learner.started_at) }));
    return h("tr", { role: "row" }, rowHead(learner), cell("–"), cell(begun), cell());
  }
  const { state } = learner.delivery;
  const mark = t("mark_of", { given: numeral(learner.score_given), maximum: numeral(learner.score_maximum) });
  const more = [explanation(learner.delivery), tries(learner.delivery)].filter(Boolean);
  const label = t("resend_name", { name: nameOf(learner) });
  const onclick = () => resend([learner.user_id]);
  return h(
    "tr",
    { role: "row" },
    rowHead(learner),
    cell(mark),
    cell(time(learner.submitted_at)),
    cell(
      stateMark(state, stateWords("state", state)),
      ...more.map((words) => h("p", { class: "quiet" }, words)),
      may("grade") && isStuck(learner) && h("button", { type: "button", class: "link", "aria-label": label, onclick }, t("resend")),
    ),
  );
}

/** The marks as a file for a spreadsheet, which must not take a name for a formula. */
function save(everyone) {
  const columns = ["user_id", "name", "score_given", "score_maximum", "submitted_at", "state"];
  const safe = (value) => {
    const text = String(value ?? "");
    const tame = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return `"${tame.replaceAll('"', '""')}"`;
  };
  const rows = everyone
    .filter((learner) => learner.delivery)
    .map((learner) => ({ ...learner, state: learner.delivery.state }))
    .map((learner) => columns.map((column) => safe(learner[column])).join(","));
  const file = new Blob(["\ufeff", [columns.join(","), ...rows, ""].join("\r\n")], { type: "text/csv" });
  const url = URL.createObjectURL(file);
  h("a", { href: url, download: "marks.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function showChooser({ mayGoBack = false } = {}) {
  nameThisPage(t("choose_title"));
  const heading = h("h1", { tabindex: "-1" }, t("choose_title"));
  const chosen = new Map();
  const status = h("p", { role: "status" }, t("chosen_none"));
  const below = h("div", {});
  const bind = h("button", { type: "button", class: "main", disabled: true }, t("choose"));
  const onchange = () => {
    const titles = [...chosen.values()].map((activity) => activity.title).join(", ");
    status.textContent = t("chosen", { n: chosen.size, titles });
    bind.disabled = false;
  };
  const use = async () => {
    bind.disabled = true;
    try {
      await api("/api/binding", { method: "PUT", body: { activity: [...chosen.keys()][0] } });
      goTo(showParts(await fetchAll()));
    } catch (error) {
      const panel = problemPanel(asProblem(error), { retry: use });
      below.replaceChildren(panel);
      bind.disabled = false;
      goTo(panel.querySelector("h2"));
    }
  };
  bind.addEventListener("click", use);
  const back = mayGoBack && h("button", { type: "button", onclick: () => startAgain(load) }, t("back"));
  show(
    h("header", {}, heading, h("p", { class: "lead" }, t("choose_advice"))),
    chooser({ chosen, multiple: false, withColumns: false, onchange }),
    below,
    h("div", { class: "bar" }, status, h("div", { class: "buttons" }, back, bind)),
  );
  return heading;
}

start(load);
