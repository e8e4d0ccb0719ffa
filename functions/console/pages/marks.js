/** The staff's page: who has which mark, and whether the gradebook has it. An unbound link gets its activity here. */

import {
  api, asProblem, explanation, goTo, h, moment, nameThisPage, numeral, pageLink, Problem, problemPanel, show, speakAs,
  start, startAgain, stateMark, stateWords, t,
} from "/app/tool.js";
import { chooser } from "/app/catalogue.js";

const STATES = ["waiting", "sent", "refused", "not_sent"];

async function load() {
  const [launch, found] = await Promise.all([api("/api/session"), api("/api/marks").catch((error) => error)]);
  await speakAs(launch.locale);
  if (found instanceof Problem && found.code === "activity_not_bound") showChooser();
  else if (found instanceof Error) throw found;
  else showMarks(found);
}

function showMarks({ activity, learners }) {
  nameThisPage(t("marks_of", { title: activity.title }));
  const heading = h("h1", { tabindex: "-1", dir: "auto" }, activity.title);
  const news = h("p", { class: "quiet", role: "status" });
  const trouble = h("div", {});
  const shown = h("div", {});
  const refresh = h("button", { type: "button" }, t("refresh"));
  refresh.addEventListener("click", async () => {
    refresh.disabled = true;
    trouble.replaceChildren();
    try {
      shown.replaceChildren(...overview((await api("/api/marks")).learners));
      news.textContent = t("refreshed", { when: moment(new Date(), { timeStyle: "medium" }) });
    } catch (error) {
      trouble.replaceChildren(problemPanel(asProblem(error)));
    } finally {
      refresh.disabled = false;
      goTo(refresh);
    }
  });
  shown.replaceChildren(...overview(learners));
  const looked = activity.kind === "external" ? t("open_external", { title: activity.title }) : t("preview_questions");
  show(
    h("header", {}, h("p", { class: "quiet" }, t("marks_title")), heading),
    h("div", { class: "buttons" }, refresh, pageLink("/app/activity", looked), news),
    trouble,
    shown,
  );
  return heading;
}

function overview(learners) {
  if (learners.length === 0) {
    const onclick = () => goTo(showChooser({ mayGoBack: true }));
    const other = h("button", { type: "button", class: "link", onclick }, t("choose_other"));
    return [h("section", { class: "panel empty" }, h("h2", {}, t("nobody")), h("p", {}, t("nobody_advice")), other)];
  }
  const byName = new Intl.Collator().compare;
  const sorted = [...learners].sort((one, other) => byName(one.name ?? one.user_id, other.name ?? other.user_id));
  return [summary(learners), table(sorted)];
}

function summary(learners) {
  const states = [...new Set([...STATES, ...learners.map((learner) => learner.delivery.state)])];
  const parts = states.flatMap((state) => {
    const n = learners.filter((learner) => learner.delivery.state === state).length;
    return n === 0 ? [] : [h("li", {}, stateMark(state, t("state_count", { state: stateWords("state", state), n })))];
  });
  const all = h("li", {}, t("handed_in_count", { n: learners.length }));
  return h("ul", { class: "summary", id: "summary" }, all, ...parts);
}

// The roles are said aloud: a narrow frame lays rows out as blocks, and a table would then stop being one for readers.
function table(learners) {
  const columns = ["learner", "mark_column", "handed_in_column", "gradebook_column"];
  const titles = columns.map((column) => h("th", { role: "columnheader", scope: "col" }, t(column)));
  return h(
    "table",
    { role: "table", "aria-label": t("marks_title") },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...titles)),
    h("tbody", { role: "rowgroup" }, ...learners.map(row)),
  );
}

function row(learner) {
  const { state } = learner.delivery;
  const mark = t("mark_of", { given: numeral(learner.score_given), maximum: numeral(learner.score_maximum) });
  const why = explanation(learner.delivery);
  return h(
    "tr",
    { role: "row" },
    h("th", { role: "rowheader", scope: "row" }, h(learner.name ? "bdi" : "code", {}, learner.name || learner.user_id)),
    h("td", { role: "cell" }, mark),
    h("td", { role: "cell" }, h("time", { datetime: learner.submitted_at }, moment(learner.submitted_at))),
    h("td", { role: "cell" }, stateMark(state, stateWords("state", state)), why && h("p", { class: "quiet" }, why)),
  );
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
      goTo(showMarks(await api("/api/marks")));
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
