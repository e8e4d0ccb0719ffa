// Keeps data for the tool, as long as the page around it is open: lti.put_data and lti.get_data, and nothing else.
(() => {
  const { toolOrigin } = document.currentScript.dataset;
  const MOST_KEYS = 500, MOST_CHARACTERS = 4096; // of one tool, keys and values together
  const kept = new Map(); // the one tool that Campus knows: nobody else's origin gets here

  class Refusal extends Error {
    constructor(code, message) {
      super(message);
      this.code = code;
    }
  }

  const answers = {
    "lti.put_data": ({ key, value = null }) => {
      if (value !== null && typeof value !== "string") throw new Refusal("bad_request", "value is text or null");
      const after = new Map(kept);
      if (value === null) after.delete(key);
      else after.set(key, value);
      if (after.size > MOST_KEYS) throw new Refusal("storage_exhaustion", `more than ${MOST_KEYS} keys`);
      if ([...after].flat().join("").length > MOST_CHARACTERS) {
        throw new Refusal("storage_exhaustion", `more than ${MOST_CHARACTERS} characters`);
      }
      if (value === null) kept.delete(key);
      else kept.set(key, value);
      return { key, value };
    },
    "lti.get_data": ({ key }) => ({ key, value: kept.get(key) ?? null }),
  };

  const answered = (message, origin) => {
    if (origin !== toolOrigin) throw new Refusal("wrong_origin", "this is not the tool's origin");
    if (!Object.hasOwn(answers, message.subject)) throw new Refusal("unsupported_subject", `no ${message.subject} here`);
    for (const name of ["key", "message_id"]) {
      if (typeof message[name] !== "string" || !message[name]) throw new Refusal("bad_request", `${name} is missing`);
    }
    return answers[message.subject](message);
  };

  window.addEventListener("message", ({ data, origin, source }) => {
    // Only frames of the page around, and windows that it opened; for anybody else there is nobody here.
    const page = window.parent;
    const ours = source && source !== page && (source.parent === page || source.opener === page);
    if (!ours || origin === window.origin || origin === "null" || typeof data?.subject !== "string") return;
    let fields;
    try {
      fields = answered(data, origin);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fields = { error: { code: error.code, message: error.message } };
    }
    source.postMessage({ subject: `${data.subject}.response`, message_id: data.message_id, ...fields }, origin);
  });

  window.parent.postMessage("ready", window.origin);
})();
