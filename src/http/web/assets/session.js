// Signing in on a page that shows what is behind it. The tokens are kept in this module's memory and nowhere else: reloading the page
// forgets them.
import { Refusal, ask, element, post, refusalOf, send, showProblem } from "./page.js";

const form = document.getElementById("sign-in-form");
const fields = document.getElementById("sign-in-fields");
const email = document.getElementById("email");
const password = document.getElementById("password");
const show = document.getElementById("show-password");
const problem = document.getElementById("problem");
const progress = document.getElementById("progress");
const account = document.getElementById("account");
const signOut = document.getElementById("sign-out");
const heading = document.getElementById("heading");

let tokens = null;

// The exchange of the refresh token that goes on; a token that is used twice ends the sign-in.
let exchange = null;

// Does something with the headers of whoever has signed in. An access token lives for a quarter of an hour, and somebody writes for longer
// than that.
async function signed(work) {
  try {
    return await work({ Authorization: "Bearer " + tokens.access_token });
  } catch (error) {
    if (error.status !== 401) throw error;
    exchange = exchange || post("/api/v1/sessions/refresh", { refresh_token: tokens.refresh_token });
    try {
      tokens = await exchange;
    } finally {
      exchange = null;
    }
    return work({ Authorization: "Bearer " + tokens.access_token });
  }
}

export function askSigned(path, options) {
  return signed((headers) => ask(path, { ...options, headers: { ...(options || {}).headers, ...headers } }));
}

export function postSigned(path, body) {
  return askSigned(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

// Offers a file of whoever has signed in: it is fetched when somebody wants it, and saved under the name that the service gives it.
export function downloadButton(words, path, name, refuse) {
  const button = element("button", "button button-quiet", words);
  button.setAttribute("type", "button");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const address = URL.createObjectURL(await signed((headers) => fetchFile(path, headers)));
      // The address is given up with the page: nobody tells when the browser has read it.
      const link = element("a", "");
      link.setAttribute("href", address);
      link.setAttribute("download", name);
      link.click();
    } catch (error) {
      refuse(error);
    }
    button.disabled = false;
  });
  return button;
}

async function fetchFile(path, headers) {
  const response = await send(path, { headers: headers, signal: null });
  if (!response.ok) throw refusalOf(response.status, await response.json().catch(() => ({})));
  return response.blob();
}

// Has somebody sign in, shows them what `open` fetches, and has `close` take it away again when they leave. While it is fetched the page
// says `fetching`.
export function offerSignIn(fetching, open, close) {
  fields.disabled = false;
  show.addEventListener("change", () => {
    password.type = show.checked ? "text" : "password";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    signIn(fetching, open, close);
  });
  signOut.addEventListener("click", () => leave(close));
}

async function signIn(fetching, open, close) {
  problem.hidden = true;
  fields.disabled = true;
  progress.textContent = "Signing in…";
  let next = heading;
  try {
    const address = email.value.trim();
    if (address === "") throw new Refusal("Your e‑mail address is missing", ["Please type the address of your account."], email);
    if (password.value === "") throw new Refusal("Your password is missing", ["Please type the password of your account."], password);
    tokens = await post("/api/v1/sessions", { email: address, password: password.value });
    progress.textContent = fetching;
    await open();
    document.getElementById("account-email").textContent = address;
    account.hidden = false;
    form.hidden = true;
    password.value = "";
    show.checked = false;
    password.type = "password";
    progress.textContent = "";
  } catch (error) {
    progress.textContent = "";
    // What was painted before it went wrong goes, and whoever is shown nothing need not stay signed in.
    close();
    await endSession().catch(() => {});
    showProblem(problem, error);
    next = error instanceof Refusal ? error.focus || password : null;
  } finally {
    fields.disabled = false;
  }
  if (next !== null) next.focus();
}

async function leave(close) {
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
  close();
  form.hidden = false;
  progress.textContent = words;
  heading.focus();
}

async function endSession() {
  const ended = tokens;
  if (ended === null) return;
  tokens = null;
  await ask("/api/v1/sessions/current", { method: "DELETE", headers: { Authorization: "Bearer " + ended.access_token } });
}
