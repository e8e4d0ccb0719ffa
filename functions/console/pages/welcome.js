/** For people whose role opens nothing: what was received, and whom to ask. */

import { api, h, nameThisPage, notice, show, speakAs, start, t } from "/app/tool.js";

const KINDS = [
  ["/lis/v2/membership", "role_in_course"],
  ["/lis/v2/institution/person#", "role_in_institution"],
  ["/lis/v2/system/person#", "role_in_system"],
  ["/lti/system/person#", "role_in_system"],
];

/** A role as people say it: the last word of its URI, after its principal role if it has one, and where it holds. */
function shortRole(uri) {
  const [before, name] = uri.split("#");
  if (name === undefined) return uri;
  const principal = /\/membership\/(\w+)$/.exec(before)?.[1];
  const role = principal ? `${principal}: ${name}` : name;
  const [, kind] = KINDS.find(([part]) => uri.includes(part)) ?? [];
  return kind ? t(kind, { role }) : role;
}

/** All that decides who lands where, as it came; of custom parameters the names alone. */
function details(launch) {
  const facts = {
    received_roles: launch.roles,
    received_parameters: Object.keys(launch.custom),
    received_context: [launch.context?.id, ...(launch.context?.type ?? [])],
    platform: [launch.issuer],
    client: [launch.client_id],
    deployment: [launch.deployment_id],
    launch: [launch.launch_id],
  };
  const rows = Object.entries(facts).map(([key, values]) => {
    const codes = values.filter(Boolean).map((value) => h("dd", {}, h("code", {}, value)));
    return [h("dt", {}, t(key)), ...(codes.length > 0 ? codes : [h("dd", {}, t("nothing"))])];
  });
  const privileges = launch.privileges.join(", ");
  return h(
    "details",
    {},
    h("summary", {}, t("details")),
    h("p", {}, launch.rule ? t("rule_matched", { rule: launch.rule, privileges }) : t("rule_none")),
    h("p", {}, h("code", {}, `lti roles explain --support-id ${launch.launch_id}`)),
    h("dl", {}, ...rows.flat()),
  );
}

async function load() {
  const launch = await api("/api/session");
  await speakAs(launch.locale);
  nameThisPage(t("welcome_title"));
  const name = launch.user?.name;
  const course = launch.context?.title;
  const roles = [...new Set(launch.roles.map(shortRole))];
  show(
    notice(
      name ? t("welcome_name", { name }) : t("welcome_title"),
      h("p", {}, course ? t("welcome_course", { course }) : t("welcome")),
      h("p", {}, t(roles.length > 0 ? "roles_received" : "roles_none")),
      roles.length > 0 && h("ul", {}, ...roles.map((role) => h("li", {}, h("bdi", {}, role)))),
      h("p", {}, t("whom_to_ask")),
      h("p", { class: "quiet" }, `${t("support")} `, h("span", { class: "traced" }, t("support_id", { id: launch.launch_id }))),
      details(launch),
    ),
  );
}

start(load);
