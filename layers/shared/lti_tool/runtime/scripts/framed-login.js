const login = JSON.parse(document.getElementById("login").textContent);

/** Whether this frame may keep a partitioned cookie. */
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
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action, target: target ?? "" });
  for (const [name, value] of fields) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  document.body.append(form);
  form.submit();
}

function goOn() {
  if (login.url) location.replace(login.url);
  else post(login.endpoint, Object.entries(login.fields));
}

/** The platform's hints are still unspent: the same initiation begins once more in a window of its own. */
function offerWindow() {
  const say = (tag, word) => Object.assign(document.createElement(tag), { textContent: login.words[word] });
  const button = Object.assign(say("button", "new_window"), { type: "button", id: "new-window" });
  const main = document.querySelector("main");
  button.addEventListener("click", () => {
    post("/lti/login", login.again, "_blank");
    main.replaceChildren(say("p", "new_window_opened"));
  });
  main.replaceChildren(say("h1", "new_window_title"), say("p", "new_window_reason"), button);
}

if (keepsCookies()) goOn();
else if (login.storage) storage(login.storage, "lti.put_data", login.storage.value).then(goOn, offerWindow);
else offerWindow();
