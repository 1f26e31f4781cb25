// Accepts an invitation, declines one into a programme, or sends one for a printed code. The token is in the fragment of the link, so that
// no server and no log ever sees it on the way here; this posts it. Everything that comes back is shown as text, never as markup.
import { Refusal, paragraphs, post, showProblem } from "./page.js";

const problem = document.getElementById("invitation-problem");
const done = document.getElementById("invitation-done");
const accept = { form: document.getElementById("accept-form"), fields: document.getElementById("accept-fields") };
const decline = { form: document.getElementById("decline-form"), fields: document.getElementById("decline-fields") };
const code = { form: document.getElementById("code-form"), fields: document.getElementById("code-fields") };
const password = document.getElementById("password");
const typedCode = document.getElementById("code");
const email = document.getElementById("email");
const lengthOfCode = 16;

const fragment = window.location.hash;
const token = tokenOf(fragment);
if (token !== null) {
  offer(accept);
  // Only a programme can be declined; who is invited into an organization simply does nothing.
  if (/&programme$/.test(fragment)) offer(decline);
} else {
  accept.form.hidden = true;
  offer(code);
  if (fragment.length > 1) {
    say("Your link is not complete", "Open the link in your invitation again, or copy it whole from the mail. If you have a letter with a code instead, enter it here.");
  } else {
    say("Enter your code", "Your letter has a code. Tell us where mail reaches you, and your invitation is sent there.");
    document.getElementById("code-hint").hidden = false;
  }
}

document.getElementById("show-password").addEventListener("change", (event) => {
  password.type = event.target.checked ? "text" : "password";
});

on(accept, () => {
  const length = Array.from(password.value).length;
  if (length < 10 || length > 200) {
    return refuse(password, "Please choose another password", "It needs 10 to 200 characters; this one has " + length + ".");
  }
  return submit(accept, "/api/v1/invitations/accept", { token: token, password: password.value }, () => {
    password.value = "";
    finish("tone-good", "Welcome", ["Your invitation is accepted. From now on you sign in with your e‑mail address and this password."], true);
    // The token is used up; it need not stay in the address bar either.
    window.history.replaceState(null, "", window.location.pathname);
  });
});

on(decline, () => {
  const chosen = decline.form.querySelector("input[name=reason]:checked");
  if (chosen === null) {
    return refuse(document.getElementById("reason-no-time"), "Please choose a reason", "Pick the one that comes closest.");
  }
  const body = { token: token, reason: chosen.value, note: document.getElementById("decline-note").value };
  return submit(decline, "/api/v1/invitations/decline", body, () => {
    finish("tone-still", "Your answer is noted", [
      "Thank you for telling us. Nobody will remind you.",
      "If you change your mind, open the link in your mail again. It works until the day that is written there.",
    ], false);
  });
});

on(code, () => {
  const plain = plainCode(typedCode.value);
  if (plain.length !== lengthOfCode) {
    return refuse(typedCode, "Please look at the code again", "It has " + lengthOfCode + " letters and digits; this one has " + plain.length + ".");
  }
  const address = email.value.trim();
  if (!/^[^\s@]+@[^\s@]+$/.test(address)) {
    return refuse(email, "Please look at the address again", "It should look like name@example.org.");
  }
  return submit(code, "/api/v1/invitations/redeem", { code: plain, email: address }, () => {
    finish("tone-good", "Look into your mailbox", [
      "Your invitation is on its way to " + address + ". Its link lets you choose a password.",
      "Nothing there after some minutes? Look among the unwanted mails, or load this page again and check the address.",
    ], false);
  });
});

// In groups of four, as it is printed; only while typing at the end, so that the caret never jumps.
typedCode.addEventListener("input", () => {
  if (typedCode.selectionStart !== typedCode.value.length) return;
  const groups = plainCode(typedCode.value).match(/.{1,4}/g) || [];
  const text = groups.join("-");
  if (typedCode.value.replace(/-$/, "") !== text) typedCode.value = text;
});

function plainCode(text) {
  return text.toUpperCase().replace(/[^0-9A-Z]/g, "");
}

function offer(part) {
  part.form.hidden = false;
  part.fields.disabled = false;
}

function on(part, send) {
  part.form.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.hidden = true;
    // What is wrong is said where it is.
    part.form.before(problem);
    send();
  });
}

// The fragment is read by hand: form decoding would turn a plus sign into a blank.
function tokenOf(text) {
  const match = /^#(?:token=)?([^&=]+)(?:&programme)?$/.exec(text);
  if (match === null) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return null;
  }
}

async function submit(part, address, body, succeed) {
  part.fields.disabled = true;
  try {
    await post(address, body);
    succeed();
    return;
  } catch (error) {
    showProblem(problem, error);
  }
  part.fields.disabled = false;
  problem.focus();
}

function refuse(field, title, detail) {
  showProblem(problem, new Refusal(title, [detail]));
  field.focus();
}

function say(title, lead) {
  document.getElementById("invitation-title").textContent = title;
  document.getElementById("invitation-lead").textContent = lead;
}

function finish(tone, heading, lines, withCatalogue) {
  for (const part of [accept, decline, code]) part.form.hidden = true;
  document.getElementById("invitation-head").hidden = true;
  document.getElementById("code-hint").hidden = true;
  document.getElementById("done-heading").textContent = heading;
  document.getElementById("done-words").replaceChildren(...paragraphs(lines));
  document.getElementById("done-catalogue").hidden = !withCatalogue;
  done.classList.add(tone);
  done.hidden = false;
  document.getElementById("done-heading").focus();
}
