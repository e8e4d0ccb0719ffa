// Answers the tool's postMessages to a page of the platform: what it can, how high the frame is, when to close.
(() => {
  const { toolOrigin, storage } = document.currentScript.dataset;
  const LOWEST = 100, HIGHEST = 5000; // pixels

  const ready = new Promise((resolve) => {
    if (!storage) resolve();
    // A frame that is not loaded yet would miss what is sent to it: nobody hears of it before.
    window.addEventListener("message", ({ source, data }) => {
      if (source === window.frames[storage] && data === "ready") resolve();
    });
  });

  const answers = {
    "lti.capabilities": async () => {
      await ready;
      const kept = storage ? ["lti.put_data", "lti.get_data"].map((subject) => ({ subject, frame: storage })) : [];
      return { supported_messages: [...Object.keys(answers).map((subject) => ({ subject })), ...kept] };
    },
    "lti.frameResize": ({ height }, source) => {
      const pixels = Number(height);
      if (!(pixels > 0)) return { error: { code: "bad_request", message: "height is a number of pixels above 0" } };
      const frame = [...document.querySelectorAll("iframe")].find((each) => each.contentWindow === source);
      if (frame) frame.style.height = `${Math.min(Math.max(pixels, LOWEST), HIGHEST)}px`;
      return {};
    },
    "lti.close": (_, source) => {
      if (source.parent === window) window.location.assign(document.getElementById("back").href);
      else source.close();
      return {};
    },
  };

  window.addEventListener("message", async ({ data, origin, source }) => {
    const message = typeof data === "string" ? parsed(data) : data; // some tools send JSON as text
    const ours = source && source !== window && (source.parent === window || source.opener === window);
    if (!ours || origin === window.origin || origin === "null" || typeof message?.subject !== "string") return;
    const answer = Object.hasOwn(answers, message.subject) ? answers[message.subject] : unsupported;
    const fields = origin === toolOrigin ? await answer(message, source) : wrongOrigin();
    source.postMessage({ subject: `${message.subject}.response`, message_id: message.message_id, ...fields }, origin);
  });

  const unsupported = ({ subject }) => ({ error: { code: "unsupported_subject", message: `no ${subject} here` } });
  const wrongOrigin = () => ({ error: { code: "wrong_origin", message: "this is not the tool's origin" } });
  const parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  };
})();
