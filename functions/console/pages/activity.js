/** The learner's page: answer, submit, see the mark and where it is. Staff see the same questions as a preview. */

import {
  api, asProblem, depart, explanation, goTo, h, moment, nameThisPage, notice, numeral, pageLink, Problem, problemPanel,
  remember, remembered, session, show, showProblem, speakAs, start, startAgain, stateMark, stateWords, t, tries, visit,
} from "/app/tool.js";

const DRAFT = `lti-draft:${session.launchId}`;
const FIRST_LOOK_MS = 2_000;
const LONGEST_LOOK_MS = 30_000;
const PATIENCE_MS = 20_000;

let watching = 0; // counts up; a watch that is no longer the newest ends

async function load() {
  const [launch, found] = await Promise.all([api("/api/session"), api("/api/activity").catch((error) => error)]);
  await speakAs(launch.locale);
  const isLearner = launch.rights.includes("take"); // whoever is staff, too, sees what staff see
  if (found instanceof Problem && found.code === "activity_not_bound") {
    if (isLearner) showNotChosen();
    else visit("/app/marks");
    return;
  }
  if (found instanceof Error) throw found;
  if (found.activity.kind === "external") {
    await depart();
    return;
  }
  nameThisPage(found.activity.title);
  if (!isLearner) showPreview(found.activity);
  else if (found.attempt) showResult(found.activity, found.attempt);
  else showQuestions(found.activity);
}

function showNotChosen() {
  show(
    notice(
      t("not_chosen_title"),
      h("p", {}, t("not_chosen")),
      h("button", { type: "button", onclick: () => startAgain(load) }, t("look_again")),
    ),
  );
}

function opening(activity) {
  return h(
    "header",
    {},
    h("h1", { tabindex: "-1", dir: "auto" }, activity.title),
    activity.description && h("p", { class: "lead", dir: "auto" }, activity.description),
  );
}

function showPreview(activity) {
  const banner = h(
    "aside",
    { class: "panel preview", "aria-label": t("preview") },
    h("strong", {}, t("preview")),
    h("p", {}, t("preview_advice")),
    pageLink("/app/marks", t("back_to_marks")),
  );
  show(banner, opening(activity), h("fieldset", { class: "bare", disabled: true }, questionList(activity)));
}

// Questions

function questionList(activity) {
  const total = activity.questions.length;
  const boxes = activity.questions.map((question, index) => questionBox(question, index + 1, total));
  return h("ol", { class: "questions" }, ...boxes.map((box) => h("li", {}, box)));
}

function questionBox(question, number, total) {
  const points = t("points", { n: question.points });
  const facts = [t("question_of", { number, total }), points, question.multiple && t("choose_all")].filter(Boolean);
  const wording = [
    h("span", { class: "quiet" }, facts.join(" · ")),
    " ",
    h("span", { class: "prompt", dir: "auto" }, question.prompt),
  ];
  const id = `question-${number}`;
  if (question.kind !== "choice") {
    return h("div", { class: "question" }, h("label", { for: id }, ...wording), written(question, id));
  }
  const type = question.multiple ? "checkbox" : "radio";
  const options = question.options.map((option) => {
    const input = h("input", { type, name: question.id, value: option.id });
    return h("label", { class: "option" }, input, h("span", { dir: "auto" }, option.text));
  });
  return h("fieldset", { class: "question" }, h("legend", {}, ...wording), ...options);
}

function written(question, id) {
  const isNumber = question.kind === "number";
  const hint = h("p", { class: "hint quiet", id: `${id}-hint`, "aria-live": "polite" });
  const described = [question.unit && `${id}-unit`, isNumber && hint.id].filter(Boolean);
  const field = h("input", {
    id,
    name: question.id,
    type: "text",
    dir: "auto",
    inputmode: isNumber ? "decimal" : null,
    maxlength: "500",
    autocomplete: "off",
    "aria-describedby": described.join(" ") || null,
  });
  if (isNumber) field.addEventListener("input", () => explainNumber(field, hint, question.unit));
  const unit = question.unit && h("span", { id: `${id}-unit`, dir: "auto" }, question.unit);
  return h("div", {}, h("div", { class: "written" }, field, unit), isNumber && hint);
}

/**
 * The number that a person wrote, with a dot for the decimals, or null. Comma and dot both work: the last sign that
 * stands once is the decimal one ("2,5", "1.234,5"), a sign that repeats separates thousands, and so do spaces.
 * Arabic and full-width digits and signs count as theirs.
 */
function plainNumber(text) {
  const western = text
    .normalize("NFKC")
    .replace(/[٠-٩۰-۹]/g, (digit) => String(digit.codePointAt(0) & 15))
    .replace(/٫/g, ".")
    .replace(/[٬،]/g, ",");
  const compact = western.replace(/[\s'’\u061c\u200e\u200f]/g, "").replace("−", "-");
  const last = Math.max(compact.lastIndexOf(","), compact.lastIndexOf("."));
  const repeats = last >= 0 && compact.indexOf(compact[last]) !== last;
  const decimals = repeats || last < 0 ? "" : compact.slice(last + 1);
  const whole = (repeats || last < 0 ? compact : compact.slice(0, last)).replace(/[.,]/g, "");
  const number = decimals === "" ? whole : `${whole === "" || whole === "-" ? `${whole}0` : whole}.${decimals}`;
  return /^[-+]?\d+(\.\d+)?$/.test(number) ? number.replace("+", "") : null;
}

/** Says how a number with a sign in it is read, so that "2,850" surprises no one. */
function explainNumber(field, hint, unit) {
  const number = plainNumber(field.value);
  const isPlain = /^\d*$/.test(field.value.trim());
  field.removeAttribute("aria-invalid");
  hint.classList.remove("wrong");
  const quantity = [numeral(Number(number), 10), unit].filter(Boolean).join(" ");
  hint.textContent = number === null || isPlain ? "" : t("read_as", { quantity });
}

// Answering

function showQuestions(activity) {
  watching += 1;
  const questions = questionList(activity);
  const everything = h("fieldset", { class: "bare" }, questions);
  const progress = h("p", { id: "progress", role: "status" });
  const meter = h("progress", { "aria-hidden": "true", max: activity.questions.length });
  const submit = h("button", { type: "submit", id: "submit", class: "main" }, t("submit"));
  const bar = h("div", { class: "bar" }, h("div", {}, progress, meter), submit);
  const below = h("div", {});
  const form = h("form", { novalidate: true, autocomplete: "off" }, everything, below, bar);
  let sending = false;

  const fieldsOf = (question) => [...form.querySelectorAll("input")].filter((field) => field.name === question.id);

  function answerTo(question) {
    const fields = fieldsOf(question);
    const chosen = fields.filter((field) => field.checked).map((field) => field.value);
    if (question.kind !== "choice") return fields[0].value.trim();
    return question.multiple ? chosen : (chosen[0] ?? "");
  }

  function answers() {
    const all = activity.questions.map((question) => [question.id, answerTo(question)]);
    return Object.fromEntries(all.filter(([, answer]) => answer.length > 0));
  }

  function count() {
    const done = Object.keys(answers()).length;
    const words = t("answered", { done, total: activity.questions.length });
    if (progress.textContent !== words) progress.textContent = words;
    meter.value = done;
  }

  function restore() {
    const draft = JSON.parse(remembered(DRAFT) ?? "null");
    if (draft?.activity !== activity.id) return;
    for (const question of activity.questions) {
      const answer = draft.answers[question.id];
      for (const field of answer === undefined ? [] : fieldsOf(question)) {
        if (question.kind === "choice") field.checked = [answer].flat().includes(field.value);
        else field.value = answer;
      }
    }
  }

  function changed() {
    remember(DRAFT, JSON.stringify({ activity: activity.id, answers: answers() }));
    count();
    below.replaceChildren(); // what stood there was about the answers as they were
    bar.hidden = false;
  }

  /** The first number field that holds no number gets a word of help. True when there was one. */
  function stoppedByANumber() {
    const given = answers();
    const isWrong = ({ id, kind }) => kind === "number" && id in given && plainNumber(given[id]) === null;
    const wrong = activity.questions.filter(isWrong);
    for (const question of wrong) {
      const [field] = fieldsOf(question);
      const hint = document.getElementById(`${field.id}-hint`);
      field.setAttribute("aria-invalid", "true");
      hint.classList.add("wrong");
      hint.textContent = t("not_a_number");
    }
    if (wrong.length > 0) goTo(fieldsOf(wrong[0])[0]);
    return wrong.length > 0;
  }

  function confirmGaps(gaps) {
    const close = (target) => {
      below.replaceChildren();
      bar.hidden = false;
      goTo(target);
    };
    const first = fieldsOf(gaps[0])[0];
    const heading = h("h2", { tabindex: "-1" }, t("unanswered", { n: gaps.length }));
    const list = gaps.map((gap) => {
      const onclick = () => close(fieldsOf(gap)[0]);
      return h("li", {}, h("button", { type: "button", class: "link", dir: "auto", onclick }, gap.prompt));
    });
    below.replaceChildren(
      h(
        "section",
        { class: "panel confirm" },
        heading,
        h("p", {}, t("unanswered_advice")),
        h("ul", {}, ...list),
        h(
          "div",
          { class: "buttons" },
          h("button", { type: "button", class: "main", onclick: () => close(first) }, t("keep_answering")),
          h("button", { type: "button", onclick: send }, t("submit_anyway")),
        ),
      ),
    );
    bar.hidden = true;
    goTo(heading);
  }

  async function send() {
    if (sending) return;
    sending = true;
    const given = answers();
    for (const question of activity.questions) {
      if (question.kind === "number" && question.id in given) given[question.id] = plainNumber(given[question.id]);
    }
    everything.disabled = true;
    submit.disabled = true;
    submit.textContent = t("submitting");
    bar.hidden = false;
    below.replaceChildren();
    try {
      const { attempt } = await api("/api/attempt", { method: "POST", body: { answers: given } });
      remember(DRAFT, null);
      goTo(showResult(activity, attempt));
    } catch (error) {
      everything.disabled = false;
      submit.disabled = false;
      submit.textContent = t("submit");
      const panel = problemPanel(asProblem(error), { retry: send });
      below.replaceChildren(panel);
      goTo(panel.querySelector("h2"));
    } finally {
      sending = false;
    }
  }

  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending || stoppedByANumber()) return;
    const gaps = activity.questions.filter((question) => answerTo(question).length === 0);
    if (gaps.length > 0) confirmGaps(gaps);
    else send();
  });
  restore();
  count();
  const top = opening(activity);
  show(top, form);
  return top.querySelector("h1");
}

// The result

function showResult(activity, attempt) {
  const heading = h("h2", { tabindex: "-1" }, t("result"));
  const place = h("div", { id: "delivery", role: "status" });
  const again = h("button", { type: "button", onclick: () => goTo(showQuestions(activity)) }, t("try_again"));
  const meter = h("progress", { "aria-hidden": "true", max: attempt.score_maximum, value: attempt.score_given });
  const given = numeral(attempt.score_given);
  show(
    opening(activity),
    h(
      "section",
      { class: "panel result" },
      heading,
      h("p", { id: "mark" }, t("mark", { given, maximum: numeral(attempt.score_maximum) })),
      meter,
      place,
      h("p", { class: "quiet" }, t("handed_in", { when: moment(attempt.submitted_at) })),
      again,
    ),
  );
  describe(place, attempt.delivery);
  if (attempt.delivery.state === "waiting") watch(place, attempt);
  return heading;
}

/** Says where the mark is; a listener hears it only when the words are new. */
function describe(place, delivery, isSlow = false) {
  const { state } = delivery;
  const more = [explanation(delivery), tries(delivery), isSlow && t("own_slow")].filter(Boolean);
  const parts = [stateMark(state, stateWords("own", state)), ...more.map((words) => h("p", { class: "quiet" }, words))];
  place.dataset.state = state;
  if (place.textContent !== parts.map((part) => part.textContent).join("")) place.replaceChildren(...parts);
}

/** Asks where the mark is, ever more seldom, until it has arrived or was refused. */
async function watch(place, { submitted_at: submittedAt }) {
  watching += 1;
  const mine = watching;
  const since = Date.now();
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 1.5, LONGEST_LOOK_MS)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (mine !== watching) return;
    try {
      const { activity, attempt } = await api("/api/activity");
      if (mine !== watching) return;
      if (attempt && attempt.submitted_at !== submittedAt) {
        showResult(activity, attempt); // handed in again, in another window
        return;
      }
      if (attempt) {
        const isWaiting = attempt.delivery.state === "waiting";
        describe(place, attempt.delivery, isWaiting && Date.now() - since > PATIENCE_MS);
        if (!isWaiting) return;
      }
    } catch (error) {
      if (error instanceof Problem && error.mayPass) continue;
      if (error instanceof Problem && error.status === 401) return; // the visit has ended; the mark goes its way
      showProblem(error, () => startAgain(load));
      return;
    }
  }
}

start(load);
