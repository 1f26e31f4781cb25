// Shows what a contributor is asked for, and sends their words. The secret is in the fragment of the link, so that no server and no log
// ever sees it on the way here; this posts it. Everything that comes back is shown as text, never as markup.
"use strict";

(() => {
  const problem = document.getElementById("contribution-problem");
  const form = document.getElementById("contribution-form");
  const fields = document.getElementById("contribution-fields");
  const words = document.getElementById("contribution-text");
  const token = /^#([A-Za-z0-9_-]+)$/.exec(window.location.hash);

  if (token === null) {
    close("Your link is not complete", "Open it again, or copy it whole from where you got it.");
  } else {
    post("/api/v1/contributions/read", { token: token[1] }, async (response) => show(await response.json()), close);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.hidden = true;
    if (words.value.trim() === "") {
      fail("Nothing is written yet", "Write what you have seen, in a few sentences.");
      words.focus();
      return;
    }
    fields.disabled = true;
    post("/api/v1/contributions", { token: token[1], text: words.value }, () => {
      form.hidden = true;
      document.getElementById("contribution-head").hidden = true;
      document.getElementById("contribution-message").hidden = true;
      document.getElementById("contribution-done").hidden = false;
      document.getElementById("contribution-done-heading").focus();
      // The secret is used up; it need not stay in the address bar either.
      window.history.replaceState(null, "", window.location.pathname);
    }, (title, detail) => {
      // What was written stays where it is.
      fields.disabled = false;
      fail(title, detail);
    });
  });

  function show(asked) {
    text("contribution-title", asked.contributor === "colleague" ? "What have you seen?" : "What would you like to say?");
    text("contribution-lead", "It is for the micro-credential “" + asked.title + "”.");
    text("contribution-asked", asked.requirement_title);
    text("contribution-description", asked.requirement_description || "");
    if (asked.message) {
      text("contribution-message", asked.message);
      document.getElementById("contribution-message").hidden = false;
    }
    fields.disabled = false;
  }

  async function post(address, body, succeed, refuse) {
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json, application/problem+json" },
        body: JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
      });
      if (response.ok) {
        await succeed(response);
        return;
      }
      const answer = await response.json().catch(() => ({}));
      if (response.status === 404) {
        refuse("This link does not work any more", "It was used, taken back, or is too old. Ask whoever gave it to you for another.");
        return;
      }
      const error = Array.isArray(answer.errors) && answer.errors[0] ? answer.errors[0].detail : answer.detail;
      refuse("That did not work", typeof error === "string" ? error : "Please try again in a minute.");
    } catch {
      refuse("No answer", "The service could not be reached. Please check your connection and try again.");
    }
  }

  function close(title, detail) {
    form.hidden = true;
    fail(title, detail);
  }

  function fail(title, detail) {
    const lines = [title, detail].map((line) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = line;
      return paragraph;
    });
    lines[0].className = "message-title";
    problem.replaceChildren(...lines);
    problem.hidden = false;
    problem.focus();
  }

  function text(id, value) {
    document.getElementById(id).textContent = value;
  }
})();
