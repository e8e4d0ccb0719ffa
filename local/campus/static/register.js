// The tool says that it is done: back to the list of tools, where an administrator may have to confirm.
(() => {
  const closes = document.currentScript.dataset.closes.split(" ");

  window.addEventListener("message", ({ data, source }) => {
    const ours = source && source !== window && (source.parent === window || source.opener === window);
    if (!ours || !closes.includes(data?.subject)) return; // an object; text is not understood
    if (source.opener === window) source.close();
    window.location.assign(document.getElementById("back").href);
  });
})();
