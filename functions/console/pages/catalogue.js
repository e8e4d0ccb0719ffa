/** The catalogue as a list to choose from: search, more by cursor, one or several. */

import { api, asProblem, goTo, h, problemPanel, t } from "/app/tool.js";

const PAGE = 20;
const PAUSE_MS = 250;

/**
 * A chooser. `chosen` is a Map from activity id to activity that the caller owns; it outlives a search, so what is
 * chosen stays so when it is not in the list. `onchange` runs after each change of it.
 */
export function chooser({ chosen, multiple, withColumns, onchange }) {
  const search = h("input", { type: "search", id: "search", autocomplete: "off", maxlength: "100" });
  const status = h("p", { class: "quiet", role: "status" });
  const list = h("fieldset", { class: "cards" }, h("legend", { class: "unseen" }, t("activities")));
  const foot = h("div", { class: "foot" });
  let asked = 0; // counts up; an answer to an older question is dropped
  let timer;

  function card(activity) {
    const size = activity.kind === "external" ? t("external") : t("questions", { n: activity.questions });
    const worth = activity.score_maximum && t(withColumns ? "adds_column" : "points", { n: activity.score_maximum });
    const facts = [size, worth].filter(Boolean);
    const input = h("input", { type: multiple ? "checkbox" : "radio", name: "choice", value: activity.id });
    input.checked = chosen.has(activity.id);
    input.addEventListener("change", () => {
      if (!multiple) chosen.clear();
      if (input.checked) chosen.set(activity.id, activity);
      else chosen.delete(activity.id);
      onchange();
    });
    return h(
      "label",
      { class: "card" },
      input,
      h(
        "span",
        {},
        h("strong", { dir: "auto" }, activity.title),
        activity.description && h("span", { dir: "auto" }, activity.description),
        h("span", { class: "quiet" }, facts.join(" · ")),
      ),
    );
  }

  const cards = () => [...list.querySelectorAll(".card")];

  async function fetchPage(cursor) {
    asked += 1;
    const mine = asked;
    const query = search.value.trim();
    const wanted = new URLSearchParams({ query, limit: PAGE, ...(cursor && { cursor }) });
    list.setAttribute("aria-busy", "true");
    try {
      const page = await api(`/api/catalogue?${wanted}`);
      if (mine !== asked) return;
      const added = page.activities.map(card);
      if (!cursor) cards().forEach((old) => old.remove());
      list.append(...added);
      const more = page.cursor && h("button", { type: "button", onclick: () => fetchPage(page.cursor) }, t("more"));
      foot.replaceChildren(...(more ? [more] : []));
      const n = cards().length;
      const none = query === "" ? t("catalogue_empty") : t("found_none", { query });
      status.textContent = n === 0 ? none : t(page.cursor ? "found_more" : "found", { n });
      if (cursor && added.length > 0) goTo(added[0].querySelector("input"));
    } catch (error) {
      if (mine === asked) foot.replaceChildren(problemPanel(asProblem(error), { retry: () => fetchPage(cursor) }));
    } finally {
      if (mine === asked) list.removeAttribute("aria-busy");
    }
  }

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(fetchPage, PAUSE_MS);
  });
  fetchPage();
  const finder = h("div", { role: "search" }, h("label", { for: "search" }, t("search")), search);
  return h("section", { class: "catalogue" }, finder, status, list, foot);
}
