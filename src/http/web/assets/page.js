// What the scripts of the pages share: asking the service, saying what went wrong, and making parts of a page. Everything that comes back
// is put into a page as text, never as markup.

const PATIENCE_MS = 30000;

// The lines of a seal, by tone.
export const ICONS = { good: "M6 12.6l4 4 8-9", bad: "M7.5 7.5l9 9M16.5 7.5l-9 9", warn: "M12 6.5v7M12 17v.2", still: "M7 12h.2M12 12h.2M17 12h.2" };

// What somebody is told in place of what they wanted: a title, sentences, and the field that they go to next.
export class Refusal extends Error {
  constructor(title, details, focus) {
    super(title);
    this.details = details;
    this.focus = focus;
  }
}

// Asks the service as nobody, and gives up after half a minute.
export function send(path, options) {
  return fetch(path, { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), ...options });
}

// The same for JSON. What the service refuses is thrown as a Refusal with its status.
export async function ask(path, options) {
  const headers = { Accept: "application/json, application/problem+json", ...options.headers };
  const response = await send(path, { ...options, headers: headers });
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw refusalOf(response.status, answer);
  return answer;
}

export function post(path, body, headers) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
}

export function refusalOf(status, problem) {
  const details = [];
  if (typeof problem.detail === "string") details.push(sentence(problem.detail));
  for (const error of Array.isArray(problem.errors) ? problem.errors : []) {
    if (error && typeof error.detail === "string" && !details.includes(sentence(error.detail))) details.push(sentence(error.detail));
  }
  if (details.length === 0) details.push("Please try again in a minute.");
  const refusal = new Refusal(typeof problem.title === "string" ? problem.title : "That did not work", details);
  refusal.status = status;
  return refusal;
}

// A problem's detail as a sentence of its own.
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

// What is said of an error: a Refusal speaks for itself, and anything else is a service that does not answer.
export function wordsOf(error) {
  if (error instanceof Refusal) return { title: error.message, details: error.details };
  return { title: "No answer", details: ["The service could not be reached. Please check your connection and try again."] };
}

// Shows an error in the box that a page has for it.
export function showProblem(box, error) {
  const { title, details } = wordsOf(error);
  box.replaceChildren(element("p", "message-title", title), ...paragraphs(details));
  box.hidden = false;
}

export function paragraphs(lines) {
  return lines.map((line) => element("p", "", line));
}

// A circle around the lines of a sign, which says nothing that is not in words beside it.
export function seal(icon, className) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  circle.setAttribute("cx", "12");
  circle.setAttribute("cy", "12");
  circle.setAttribute("r", "10.5");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", icon);
  svg.append(circle, path);
  return svg;
}

// Fills a box with a seal, a headline and sentences.
export function fillBanner(box, icon, headline, sentences) {
  const text = element("div", "");
  text.append(headline, ...paragraphs(sentences));
  box.append(seal(icon, "seal"), text);
  return box;
}

// How something of one's own stands, by tone.
export function banner(tone, words, sentences) {
  const box = element("section", "standing tone-" + tone);
  box.setAttribute("aria-label", "Where it stands");
  return fillBanner(box, own(ICONS, tone) || ICONS.still, element("h2", "standing-word", words), sentences);
}

export function linkTo(path, words) {
  const link = element("a", "", words);
  link.setAttribute("href", path);
  return link;
}

// In UTC, as the letters have it: a page and a letter must not differ by a day. Empty for what is no moment.
export function dayInWords(value) {
  if (typeof value !== "string" && typeof value !== "number") return "";
  const moment = new Date(value);
  if (Number.isNaN(moment.getTime())) return "";
  return moment.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
}

// A row of a list of facts; none without a value.
export function addFact(list, name, value, className) {
  if (typeof value !== "string" || value === "") return;
  const row = element("div", "");
  row.append(element("dt", "", name), element("dd", className || "", value));
  list.append(row);
}

export function own(table, key) {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
