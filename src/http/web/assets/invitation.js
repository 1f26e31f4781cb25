// Accepts an invitation, or says no to one into a programme, or sends one for a printed code. The token is in the fragment of the link, so that no server and no log ever sees it on the way
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
  const decline = document.getElementById("decline-form");
  const code = document.getElementById("code-form");
  if (token === null) {
    code.hidden = false;
    document.getElementById("code-fields").disabled = false;
    code.addEventListener("submit", (event) => {
      event.preventDefault();
      const body = { code: document.getElementById("code").value, email: document.getElementById("email").value };
      send("/api/v1/invitations/redeem", body, code, "The invitation is on its way to your address. Its link lets you choose a password.");
    });
    showProblem("This link is not complete", [
      "Please open the link in your invitation again, or copy it whole from the letter. If it still does not work, ask whoever invited you for a new one.",
    ]);
    return;
  }
  fields.disabled = false;
  // Only a programme can be declined; who is invited into an organization simply does nothing.
  decline.hidden = !/&programme$/.test(window.location.hash);
  document.getElementById("decline-fields").disabled = decline.hidden;
  decline.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = {
      token: token,
      reason: document.getElementById("decline-reason").value,
      note: document.getElementById("decline-note").value,
    };
    send("/api/v1/invitations/decline", body, decline, "Your answer is noted, and nobody will remind you. Until it ends, your link lets you change your mind.");
  });

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
      await showAnswer(response);
    } catch {
      showProblem("No answer", ["The service could not be reached. Please check your connection and try again."]);
    }
    fields.disabled = false;
  });

  // The fragment is read by hand: form decoding would turn a plus sign into a blank.
  function tokenOf(fragment) {
    const match = /^#(?:token=)?([^&=]+)(?:&programme)?$/.exec(fragment);
    if (match === null) return null;
    try {
      return decodeURIComponent(match[1]);
    } catch {
      return null;
    }
  }

  // Posts one of the other forms and says what has come of it.
  async function send(address, body, sent, words) {
    problem.hidden = true;
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json, application/problem+json" },
        body: JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
      });
      if (!response.ok) {
        await showAnswer(response);
        return;
      }
      sent.hidden = true;
      form.hidden = true;
      document.getElementById("accept-lead").hidden = true;
      document.getElementById("other-done-words").textContent = words;
      document.getElementById("other-done").hidden = false;
      document.getElementById("other-done-heading").focus();
    } catch {
      showProblem("No answer", ["The service could not be reached. Please check your connection and try again."]);
    }
  }

  // What the service says is wrong.
  async function showAnswer(response) {
    const answer = await response.json().catch(() => ({}));
    const details = [];
    if (typeof answer.detail === "string") details.push(sentence(answer.detail));
    for (const error of Array.isArray(answer.errors) ? answer.errors : []) {
      if (error && typeof error.detail === "string" && !details.includes(sentence(error.detail))) details.push(sentence(error.detail));
    }
    if (details.length === 0) details.push("Please try again in a minute.");
    showProblem(typeof answer.title === "string" ? answer.title : "That did not work", details);
  }

  function showDone() {
    password.value = "";
    form.hidden = true;
    decline.hidden = true;
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
