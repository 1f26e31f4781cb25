// Signs somebody in on a page that shows what is theirs. The access token is kept in this module's memory and nowhere else: reloading
// the page forgets it.
import { Refusal, ask, post, showProblem } from "./page.js";

const form = document.getElementById("sign-in-form");
const fields = document.getElementById("sign-in-fields");
const password = document.getElementById("password");
const show = document.getElementById("show-password");
const progress = document.getElementById("progress");
const account = document.getElementById("account");
const signOut = document.getElementById("sign-out");
export const email = document.getElementById("email");
export const heading = document.getElementById("heading");
export const lead = document.getElementById("lead");
export const problem = document.getElementById("problem");
const headingAtFirst = heading.textContent;
const titleAtFirst = document.title;

let token = null;
// What the page does: `load` asks for what it shows, `show` shows that, `clear` takes it away again; `fetching` is said meanwhile.
let page = null;

export function start(what) {
  page = what;
  fields.disabled = false;
}

// Asks the service as whoever is signed in.
export function askSigned(path, options) {
  return ask(path, { ...options, headers: { ...(options || {}).headers, Authorization: "Bearer " + token } });
}

show.addEventListener("change", () => {
  password.type = show.checked ? "text" : "password";
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn();
});
signOut.addEventListener("click", leave);

async function signIn() {
  problem.hidden = true;
  fields.disabled = true;
  progress.textContent = "Signing in…";
  let next = heading;
  try {
    const address = email.value.trim();
    if (address === "") throw new Refusal("Your e‑mail address is missing", ["Please type the address of your account."], email);
    if (password.value === "") throw new Refusal("Your password is missing", ["Please type the password of your account."], password);
    const tokens = await post("/api/v1/sessions", { email: address, password: password.value });
    token = tokens.access_token;
    progress.textContent = page.fetching;
    page.show(await page.load());
    document.getElementById("account-email").textContent = address;
    account.hidden = false;
    form.hidden = true;
    password.value = "";
    show.checked = false;
    password.type = "password";
    progress.textContent = "";
  } catch (error) {
    progress.textContent = "";
    // Whoever is shown nothing need not stay signed in.
    await endSession().catch(() => {});
    showProblem(problem, error);
    next = error instanceof Refusal ? error.focus || password : null;
  } finally {
    fields.disabled = false;
  }
  if (next !== null) next.focus();
}

async function leave() {
  signOut.disabled = true;
  let words = "You have signed out.";
  try {
    await endSession();
  } catch {
    words = "This page has forgotten your sign-in, but the service could not be told. What is left of it ends by itself within 15 minutes.";
  }
  signOut.disabled = false;
  account.hidden = true;
  problem.hidden = true;
  page.clear();
  heading.textContent = headingAtFirst;
  heading.removeAttribute("lang");
  document.title = titleAtFirst;
  lead.hidden = false;
  form.hidden = false;
  progress.textContent = words;
  heading.focus();
}

async function endSession() {
  const ended = token;
  if (ended === null) return;
  token = null;
  await ask("/api/v1/sessions/current", { method: "DELETE", headers: { Authorization: "Bearer " + ended } });
}
