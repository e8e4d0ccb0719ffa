/** Deep linking: a teacher chooses activities, and a form posts them back into the course. */

import { api, h, nameThisPage, notice, session, show, speakAs, start, t } from "/app/tool.js";
import { chooser } from "/app/catalogue.js";

async function load() {
  const launch = await api("/api/session");
  await speakAs(launch.locale);
  if (!launch.deep_linking) {
    show(notice(t("reopen_title"), h("p", {}, t("reopen"))));
    return;
  }
  const { accept_types: types, accept_multiple: multiple, accept_lineitem: lineItems } = launch.deep_linking;
  if (types.includes("ltiResourceLink")) {
    showPicker({ multiple, withColumns: lineItems !== false, course: launch.context?.title });
  } else {
    const leave = answer(new Map(), h("button", { class: "main", value: "cancel" }, t("cancel")));
    show(notice(t("wrong_place_title"), h("p", {}, t("wrong_place")), leave));
  }
}

/** The form that answers the platform: the session, and each chosen activity; none of them means cancel. */
function answer(chosen, ...buttons) {
  const carried = h("div", { hidden: true });
  const row = h("div", { class: "buttons" }, ...buttons);
  const form = h("form", { method: "post", action: "/lti/deeplink" }, carried, row);
  form.addEventListener("submit", (event) => {
    const activities = event.submitter?.value === "add" ? [...chosen.keys()] : [];
    const fields = [["session", session.token], ...activities.map((id) => ["activity", id])];
    carried.replaceChildren(...fields.map(([name, value]) => h("input", { type: "hidden", name, value })));
    buttons.forEach((button) => { button.disabled = true; }); // once is enough
  });
  // Someone who comes back by the browser's button finds a form that works, and no token in it.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    carried.replaceChildren();
    buttons.forEach((button) => { button.disabled = button.value === "add" && chosen.size === 0; });
  });
  return form;
}

function showPicker({ multiple, withColumns, course }) {
  const title = t(multiple ? "picker_title_many" : "picker_title_one");
  nameThisPage(title);
  const chosen = new Map();
  const status = h("p", { id: "chosen", role: "status" }, t("chosen_none"));
  const add = h("button", { class: "main", value: "add", disabled: true }, t("add"));
  const onchange = () => {
    const titles = [...chosen.values()].map((activity) => activity.title).join(", ");
    status.textContent = chosen.size === 0 ? t("chosen_none") : t("chosen", { n: chosen.size, titles });
    add.disabled = chosen.size === 0;
  };
  const into = course && h("p", { class: "lead" }, t(multiple ? "picker_into_many" : "picker_into", { course }));
  show(
    h("header", {}, h("h1", { tabindex: "-1" }, title), into),
    chooser({ chosen, multiple, withColumns, onchange }),
    h("div", { class: "bar" }, status, answer(chosen, h("button", { value: "cancel" }, t("cancel")), add)),
  );
}

start(load);
