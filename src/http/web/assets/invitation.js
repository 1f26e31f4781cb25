// Accepts an invitation. The token is in the fragment of the link, so that no server and no log ever sees it on the way
// here; this posts it with the password. Everything that comes back is shown as text, never as markup.
"use strict";

(() => {
  const form = document.getElementById("accept-form");
  const fields = document.getElementById("accept-fields");
  const password = document.getElementById("password");
  const show = document.getElementById("show-password");
  const problem = document.getElementById("accept-problem");
  const done = document.getElementById("accept-done");

  const token = tokenOf(window.location.hash);
  if (token === null) {
    showProblem("This link is not complete", [
      "Please open the link in your invitation again, or copy it whole from the letter. If it still does not work, ask whoever invited you for a new one.",
    ]);
    return;
  }
  fields.disabled = false;

  show.addEventListener("change", () => {
    password.type = show.checked ? "text" : "password";
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const length = Array.from(password.value).length;
    if (length < 10 || length > 200) {
      showProblem("Please choose another password", ["It needs 10 to 200 characters; this one has " + length + "."]);
      password.focus();
      return;
    }
    fields.disabled = true;
    try {
      const response = await fetch("/api/v1/invitations/accept", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json, application/problem+json" },
        body: JSON.stringify({ token: token, password: password.value }),
        credentials: "omit",
        cache: "no-store",
      });
      if (response.ok) {
        showDone();
        return;
      }
      const answer = await response.json().catch(() => ({}));
      const details = [];
      if (typeof answer.detail === "string") details.push(sentence(answer.detail));
      for (const error of Array.isArray(answer.errors) ? answer.errors : []) {
        if (error && typeof error.detail === "string" && !details.includes(sentence(error.detail))) details.push(sentence(error.detail));
      }
      if (details.length === 0) details.push("Please try again in a minute.");
      showProblem(typeof answer.title === "string" ? answer.title : "That did not work", details);
    } catch {
      showProblem("No answer", ["The service could not be reached. Please check your connection and try again."]);
    }
    fields.disabled = false;
  });

  // The fragment is read by hand: form decoding would turn a plus sign into a blank.
  function tokenOf(fragment) {
    const match = /^#(?:token=)?([^&=]+)$/.exec(fragment);
    if (match === null) return null;
    try {
      return decodeURIComponent(match[1]);
    } catch {
      return null;
    }
  }

  function showDone() {
    password.value = "";
    form.hidden = true;
    document.getElementById("accept-lead").hidden = true;
    done.hidden = false;
    // The token is used up; it need not stay in the address bar either.
    window.history.replaceState(null, "", window.location.pathname);
    document.getElementById("accept-done-heading").focus();
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
