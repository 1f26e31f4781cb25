// Signs somebody in on a page that shows what is theirs. The access token is kept in this script's memory and nowhere else: reloading
// the page forgets it. Everything that comes back is shown as text, never as markup. The page's own script comes after this one.
"use strict";

const session = (() => {
  const PATIENCE_MS = 30000;
  const ICONS = { good: "M6 12.6l4 4 8-9", bad: "M7.5 7.5l9 9M16.5 7.5l-9 9", warn: "M12 6.5v7M12 17v.2", still: "M7 12h.2M12 12h.2M17 12h.2" };

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
  const lead = document.getElementById("lead");
  const headingAtFirst = heading.textContent;
  const titleAtFirst = document.title;

  let token = null;
  // What the page does: `load` asks for what it shows, `show` shows that, `clear` takes it away again; `fetching` is said meanwhile.
  let page = null;

  class Refusal extends Error {
    constructor(title, details, focus) {
      super(title);
      this.details = details;
      this.focus = focus;
    }
  }

  function start(what) {
    page = what;
    fields.disabled = false;
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
      const tokens = await ask("/api/v1/sessions", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ email: address, password: password.value }),
      });
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
      showProblem(error);
      next = error instanceof Refusal ? error.focus : null;
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

  async function ask(path, options) {
    const headers = { Accept: "application/json, application/problem+json", ...options.headers };
    if (token !== null) headers.Authorization = "Bearer " + token;
    const request = { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), ...options, headers: headers };
    const response = await fetch(path, request);
    const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
    if (!response.ok) throw refusalOf(response.status, answer);
    return answer;
  }

  function refusalOf(status, answer) {
    const details = [];
    if (typeof answer.detail === "string") details.push(sentence(answer.detail));
    for (const error of Array.isArray(answer.errors) ? answer.errors : []) {
      if (error && typeof error.detail === "string" && !details.includes(sentence(error.detail))) details.push(sentence(error.detail));
    }
    if (details.length === 0) details.push("Please try again in a minute.");
    const refusal = new Refusal(typeof answer.title === "string" ? answer.title : "That did not work", details, password);
    refusal.status = status;
    return refusal;
  }

  // A problem's detail as a sentence of its own.
  function sentence(text) {
    return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
  }

  function showProblem(error) {
    const known = error instanceof Refusal;
    const title = known ? error.message : "No answer";
    const details = known ? error.details : ["The service could not be reached. Please check your connection and try again."];
    problem.replaceChildren(element("p", "message-title", title));
    for (const detail of details) problem.append(element("p", "", detail));
    problem.hidden = false;
  }

  function icon(tone, className) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", className);
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    circle.setAttribute("cx", "12");
    circle.setAttribute("cy", "12");
    circle.setAttribute("r", "10.5");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[tone]);
    svg.append(circle, path);
    return svg;
  }

  function banner(tone, words, sentences) {
    const box = element("section", "standing tone-" + tone);
    box.setAttribute("aria-label", "Where it stands");
    const text = element("div", "");
    text.append(element("h2", "standing-word", words));
    for (const sentence of sentences) text.append(element("p", "", sentence));
    box.append(icon(tone, "seal"), text);
    return box;
  }

  // In UTC, as the letters have it: a page and a letter must not differ by a day.
  function dayInWords(value) {
    if (typeof value !== "string" && typeof value !== "number") return "";
    const moment = new Date(value);
    if (Number.isNaN(moment.getTime())) return "";
    return moment.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  }

  function linkTo(path, words) {
    const link = element("a", "", words);
    link.setAttribute("href", path);
    return link;
  }

  function own(table, key) {
    return Object.hasOwn(table, key) ? table[key] : undefined;
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className !== "") made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  return { Refusal, ask, banner, dayInWords, element, email, heading, icon, lead, linkTo, own, problem, showProblem, start };
})();
