// In the course's frame: leave it, so that the course shows what was added.
if (window.top !== window.self) window.top.location.replace(document.getElementById("back").href);
