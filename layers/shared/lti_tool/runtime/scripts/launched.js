const { session, landing } = JSON.parse(document.getElementById("launch").textContent);
const launch = session.split(".")[0];
let page = `${landing}?launch=${encodeURIComponent(launch)}`;
try {
  sessionStorage.setItem(`lti:${launch}`, session);
} catch {
  page += `#session=${encodeURIComponent(session)}`; // storage denied: the landing page removes it at once
}
location.replace(page);
