// Speaks to platform storage: lti.capabilities, lti.put_data, lti.get_data (1EdTech postMessage documents 0.1).
const platform = window.opener ?? (window.parent === window ? null : window.parent);

/** Sends a message and resolves with its one true answer; rejects after the time. */
function asks(target, origin, subject, fields, wait) {
  const message_id = crypto.randomUUID?.() ?? String(crypto.getRandomValues(new Uint32Array(4)));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => done(reject), wait);
    function done(settle, answer) {
      clearTimeout(late);
      removeEventListener("message", hears);
      settle(answer);
    }
    function hears({ source, origin: from, data }) {
      if (source !== target || (origin !== "*" && from !== origin)) return;
      if (data?.subject !== `${subject}.response` || data.message_id !== message_id) return;
      done(data.error ? reject : resolve, data);
    }
    addEventListener("message", hears);
    target.postMessage({ subject, message_id, ...fields }, origin);
  });
}

/** The window or frame that keeps data, as capabilities name it, else as the platform's request did. */
async function storageWindow(frame, wait) {
  if (!platform) throw new Error("no platform window");
  if (frame === "_opener") return platform;
  let named = frame;
  try {
    const { supported_messages: supported } = await asks(platform, "*", "lti.capabilities", {}, wait);
    named = supported.find((message) => message.subject === "lti.put_data")?.frame ?? frame;
  } catch {
    // Some platforms answer only in the frame itself.
  }
  if (named === "_parent") return platform;
  try {
    return platform.frames[named] ?? platform;
  } catch {
    return platform;
  }
}

/** One message to the storage: never to any other origin than that of the authorization endpoint. */
async function storage({ origin, frame, key }, subject, value) {
  const target = await storageWindow(frame, 700);
  const fields = value === undefined ? { key } : { key, value };
  return asks(target, origin, subject, fields, 1500);
}

