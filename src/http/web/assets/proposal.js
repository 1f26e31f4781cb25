// Sends a proposal. Everything that comes back is shown as text, never as markup.
"use strict";

(() => {
  const form = document.getElementById("proposal-form");
  if (form === null) return;
  const fields = document.getElementById("proposal-fields");
  const text = document.getElementById("proposal-text");
  const name = document.getElementById("credit-name");
  const email = document.getElementById("proposal-email");
  const problem = document.getElementById("proposal-problem");
  const done = document.getElementById("proposal-done");
  fields.disabled = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const length = Array.from(text.value.trim()).length;
    if (length < 10 || length > 4000) {
      showProblem("Please say a little more", ["A proposal has 10 to 4,000 characters; this one has " + length + "."]);
      text.focus();
      return;
    }
    const body = { text: text.value };
    if (name.value.trim() !== "") body.credit_name = name.value;
    if (email.value.trim() !== "") body.email = email.value;
    fields.disabled = true;
    try {
      const response = await fetch(form.action, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json, application/problem+json" },
        body: JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
      });
      if (response.ok) {
        form.hidden = true;
        done.hidden = false;
        document.getElementById("proposal-done-heading").focus();
        return;
      }
      await showAnswer(response);
    } catch {
      showProblem("No answer", ["The service could not be reached. Please check your connection and try again."]);
    }
    fields.disabled = false;
  });

  // What the service says is wrong.
  async function showAnswer(response) {
    const answer = await response.json().catch(() => ({}));
    const details = [];
    const errors = Array.isArray(answer.errors) ? answer.errors : [];
    if (errors.length === 0 && typeof answer.detail === "string") details.push(sentence(answer.detail));
    for (const error of errors) {
      if (error && typeof error.detail === "string" && !details.includes(sentence(error.detail))) details.push(sentence(error.detail));
    }
    if (details.length === 0) details.push("Please try again in a minute.");
    showProblem(typeof answer.title === "string" ? answer.title : "That did not work", details);
  }

  // A problem's detail as a sentence of its own.
  function sentence(text) {
    return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
  }

  function showProblem(title, details) {
    problem.replaceChildren();
    const heading = document.createElement("p");
    heading.className = "message-title";
    heading.textContent = title;
    problem.append(heading);
    for (const detail of details) {
      const paragraph = document.createElement("p");
      paragraph.textContent = detail;
      problem.append(paragraph);
    }
    problem.hidden = false;
  }
})();
