// Shows what a contributor is asked for, and sends their words. The secret is in the fragment of the link, so that no server and no log
// ever sees it on the way here; this posts it. Everything that comes back is shown as text, never as markup.
import { Refusal, post, showProblem } from "./page.js";

const problem = document.getElementById("contribution-problem");
const form = document.getElementById("contribution-form");
const fields = document.getElementById("contribution-fields");
const words = document.getElementById("contribution-text");
const token = /^#([A-Za-z0-9_-]+)$/.exec(window.location.hash);

if (token === null) {
  close(new Refusal("Your link is not complete", ["Open it again, or copy it whole from where you got it."]));
} else {
  sendToken("/api/v1/contributions/read", {}).then(show, close);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.hidden = true;
  if (words.value.trim() === "") {
    fail(new Refusal("Nothing is written yet", ["Write what you have seen, in a few sentences."]));
    words.focus();
    return;
  }
  fields.disabled = true;
  try {
    await sendToken("/api/v1/contributions", { text: words.value });
    finish();
  } catch (error) {
    // What was written stays where it is.
    fields.disabled = false;
    fail(error);
  }
});

function finish() {
  form.hidden = true;
  document.getElementById("contribution-head").hidden = true;
  document.getElementById("contribution-message").hidden = true;
  document.getElementById("contribution-done").hidden = false;
  document.getElementById("contribution-done-heading").focus();
  // The secret is used up; it need not stay in the address bar either.
  window.history.replaceState(null, "", window.location.pathname);
}

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

async function sendToken(path, body) {
  try {
    return await post(path, { token: token[1], ...body });
  } catch (error) {
    if (error.status !== 404) throw error;
    throw new Refusal("This link does not work any more", ["It was used, taken back, or is too old. Ask whoever gave it to you for another."]);
  }
}

function close(error) {
  form.hidden = true;
  fail(error);
}

function fail(error) {
  showProblem(problem, error);
  problem.focus();
}

function text(id, value) {
  document.getElementById(id).textContent = value;
}
