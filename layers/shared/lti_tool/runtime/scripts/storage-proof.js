const proof = JSON.parse(document.getElementById("proof").textContent);

function finish({ value }) {
  if (typeof value !== "string") throw new Error("nothing stored");
  const form = Object.assign(document.createElement("form"), { method: "post", action: "/lti/launch/finish" });
  for (const [name, text] of Object.entries({ ...proof.answer, storage_secret: value })) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value: text }));
  }
  document.body.append(form);
  form.submit();
}

storage(proof.storage, "lti.get_data").then(finish).catch(() => {
  document.querySelector("main").replaceChildren(
    Object.assign(document.createElement("p"), { textContent: proof.words.store_unanswered }),
  );
});
