const login = JSON.parse(document.getElementById("login").textContent);
const main = document.querySelector("main");
const say = (tag, word) => Object.assign(document.createElement(tag), { textContent: login.words[word] });

/** Whether this page may keep a partitioned cookie. */
function keepsCookies() {
  const probe = `__Host-lti-probe=${Math.random().toString(36).slice(2)}`;
  const rules = "; Path=/; Secure; SameSite=None; Partitioned";
  try {
    document.cookie = `${probe}; Max-Age=60${rules}`;
    const kept = document.cookie.split("; ").includes(probe);
    document.cookie = `__Host-lti-probe=; Max-Age=0${rules}`;
    return kept;
  } catch {
    return false;
  }
}

function post(action, fields, target) {
  const form = Object.assign(document.createElement("form"), { method: "post", action, target });
  for (const [name, value] of fields) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
}

function goOn() {
  if (login.url) location.replace(login.url);
  else post(login.endpoint, Object.entries(login.fields), "");
}

/** The platform's hints are still unspent: the same initiation begins once more in a window of its own. */
function offerWindow() {
  if (login.storage?.frame === "_opener") {
    main.replaceChildren(say("p", "store_unanswered"));
    return;
  }
  const button = Object.assign(say("button", "new_window"), { type: "button", id: "new-window" });
  button.addEventListener("click", () => {
    const name = `lti-${Date.now()}`;
    keepForOwnWindow(window.open("", name));
    post("/lti/login", login.again, name);
    main.replaceChildren(say("p", "new_window_opened"));
  });
  main.replaceChildren(say("h1", "new_window_title"), say("p", "new_window_reason"), button);
}

/** Be the storage of the window that we opened, for a browser that keeps no cookie there either. */
function keepForOwnWindow(opened) {
  const kept = new Map();
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== opened || origin !== location.origin) return;
    if (data?.subject !== "lti.put_data" && data?.subject !== "lti.get_data") return;
    const { subject, message_id, key } = data;
    if (subject === "lti.put_data") kept.set(key, data.value);
    opened.postMessage({ subject: `${subject}.response`, message_id, key, value: kept.get(key) ?? null }, origin);
  });
}

if (keepsCookies()) goOn();
else if (login.storage) storage(login.storage, "lti.put_data", login.storage.value).then(goOn, offerWindow);
else offerWindow();
