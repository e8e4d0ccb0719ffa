/** One learner's work, opened from the gradebook: by staff, or by the learner who did it. */

import {
  api, depart, explanation, h, moment, nameThisPage, notice, numeral, show, speakAs, start, stateMark, stateWords, t,
  tries,
} from "/app/tool.js";

async function load() {
  const [launch, { activity, learner }] = await Promise.all([api("/api/session"), api("/api/review")]);
  await speakAs(launch.locale);
  if (activity.kind === "external") {
    await depart();
    return;
  }
  nameThisPage(activity.title);
  if (learner === null) {
    show(notice(activity.title, h("p", {}, t("nobody"))));
    return;
  }
  const who = h(learner.name ? "bdi" : "code", {}, learner.name || learner.user_id);
  const mark = t("mark_of", { given: numeral(learner.score_given), maximum: numeral(learner.score_maximum) });
  const { state } = learner.delivery;
  const facts = [
    [t("learner"), who],
    [t("mark_column"), mark],
    [t("handed_in_column"), h("time", { datetime: learner.submitted_at }, moment(learner.submitted_at))],
    [t("gradebook_column"), stateMark(state, stateWords("state", state))],
  ];
  const why = [explanation(learner.delivery), tries(learner.delivery)].filter(Boolean);
  const answers = activity.questions.map((question) =>
    h("li", {}, h("p", { class: "prompt" }, question.prompt), h("p", {}, h("bdi", {}, said(question, learner.answers)))),
  );
  show(
    h("header", {}, h("p", { class: "quiet" }, t("marks_title")), h("h1", { tabindex: "-1" }, activity.title)),
    h("dl", { id: "work" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    ...why.map((words) => h("p", { class: "quiet" }, words)),
    h("ol", { class: "questions" }, ...answers),
  );
}

/** What was answered, in the words of the question; a dash where nothing was. */
function said(question, answers) {
  const given = [answers[question.id] ?? []].flat().filter((answer) => answer !== "");
  const words = given.map((answer) => question.options?.find((option) => option.id === answer)?.text ?? answer);
  return [words.join(", ") || "–", words.length > 0 && question.unit].filter(Boolean).join(" ");
}

start(load);
