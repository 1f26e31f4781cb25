// Sends a badge to the verifier and shows the verdict. Whatever comes out of a badge is shown as text, never as markup
// and never as a link: a forged badge must not be able to lead anybody anywhere.
import { ICONS, Refusal, addFact, ask, dayInWords, element, fillBanner, own, send, wordsOf } from "./page.js";

const TEXT_LIMIT = 256 * 1024;
const IMAGE_LIMIT = 4 * 1024 * 1024;

const CHECK_NAMES = {
  parse: "Reading the file",
  schema: "The form of the badge",
  proof: "The signature",
  issuer: "The issuer’s key",
  validity_period: "The dates",
  status: "The standing with the issuer",
  evidence_digest: "The evidence",
};
const OUTCOMES = {
  pass: { words: "passed", mark: "✓", tone: "good" },
  fail: { words: "failed", mark: "✕", tone: "bad" },
  unknown: { words: "could not be checked", mark: "?", tone: "warn" },
  not_applicable: { words: "does not apply", mark: "–", tone: "still" },
};
const MODES = {
  single: "one reader",
  conditional_double: "one reader, and a second one near the pass level and at random",
  double_blind: "two independent readers",
};
const STATUSES = {
  active: "In force",
  revoked: "Revoked",
  suspended: "Suspended",
  expired: "Expired",
  superseded: "Replaced by a newer one",
  unknown: "Not known",
};
const STILL = "M7.5 12h9";

const form = document.getElementById("verify-form");
const fields = document.getElementById("verify-fields");
const zone = document.getElementById("drop-zone");
const fileInput = document.getElementById("badge-file");
const textInput = document.getElementById("badge-text");
const emailInput = document.getElementById("badge-email");
const section = document.getElementById("verdict");
const body = document.getElementById("verdict-body");
const progress = document.getElementById("verify-progress");

// An image is sent as it is; everything else is read into the text field, where it can be seen.
let image = null;

fields.disabled = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  verify();
});
fileInput.addEventListener("change", () => {
  if (fileInput.files.length > 0) take(fileInput.files[0]);
});
textInput.addEventListener("input", () => {
  image = null;
  fileInput.value = "";
});
for (const name of ["dragenter", "dragover"]) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.add("is-over");
  });
}
zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("is-over");
  if (event.dataTransfer.files.length > 0) {
    fileInput.value = "";
    take(event.dataTransfer.files[0]);
  }
});
loadFromFragment();

// A badge page links here with its own path in the fragment, such as #/credentials/0190….
async function loadFromFragment() {
  const match = /^#(\/credentials\/[0-9a-f-]{36})$/.exec(window.location.hash);
  if (match === null) return;
  try {
    textInput.value = await fetchBadge(match[1] + ".json");
  } catch (error) {
    showFailure(error);
    return;
  }
  await verify();
}

async function fetchBadge(path) {
  const response = await send(path, { headers: { Accept: "application/vc" } });
  if (!response.ok) {
    throw new Refusal("This badge cannot be loaded", ["The link may be wrong, or the badge is not issued yet. If you have the file, choose it above."]);
  }
  return response.text();
}

async function take(file) {
  image = null;
  try {
    const mediaType = await imageType(file);
    const limit = mediaType === null ? TEXT_LIMIT : IMAGE_LIMIT;
    if (file.size > limit) throw tooLarge();
    if (mediaType === null) {
      textInput.value = await file.text();
    } else {
      image = { bytes: file, mediaType: mediaType };
      textInput.value = "";
    }
    section.hidden = true;
    progress.textContent = "Ready to verify: " + file.name;
  } catch (error) {
    showFailure(error);
  }
}

// By the first bytes, not by the name.
async function imageType(file) {
  const head = new Uint8Array(await file.slice(0, 1024).arrayBuffer());
  if (head.length >= 4 && head[0] === 0x89 && head[1] === 0x50 && head[2] === 0x4e && head[3] === 0x47) return "image/png";
  const start = new TextDecoder().decode(head).replace(/^\uFEFF/, "").trimStart();
  return start.startsWith("<") ? "image/svg+xml" : null;
}

async function verify() {
  section.hidden = true;
  progress.textContent = "Verifying…";
  fields.disabled = true;
  try {
    const request = await buildRequest();
    showVerdict(await ask("/api/v1/verify", { method: "POST", headers: { "Content-Type": request.mediaType }, body: request.body }));
  } catch (error) {
    showFailure(error);
  } finally {
    fields.disabled = false;
    progress.textContent = "";
  }
}

async function buildRequest() {
  const email = emailInput.value.trim();
  if (image !== null) {
    if (email !== "") {
      throw new Refusal("The e-mail address cannot be compared with a picture", ["Choose the badge as JSON, or leave the e-mail address empty."]);
    }
    return { mediaType: image.mediaType, body: image.bytes };
  }
  const text = textInput.value.trim();
  if (text === "") throw new Refusal("There is no badge yet", ["Choose its file, drop it, or paste its text."]);
  if (new Blob([text]).size > TEXT_LIMIT) throw tooLarge();
  if (text.startsWith("<")) return { mediaType: "image/svg+xml", body: text };
  if (/^https?:\/\/\S+$/.test(text)) return linkRequest(text, email);
  return textRequest(text, email);
}

async function linkRequest(text, email) {
  const url = new URL(text);
  const own = /^(\/credentials\/[0-9a-f-]{36})(\.json)?$/.exec(url.pathname);
  if (url.origin === window.location.origin && own !== null) {
    return textRequest((await fetchBadge(own[1] + ".json")).trim(), email);
  }
  if (email !== "") {
    throw new Refusal("The e-mail address cannot be compared with a link", ["Paste the badge itself, or leave the e-mail address empty."]);
  }
  return { mediaType: "application/json", body: JSON.stringify({ url: text }) };
}

// The badge's own text is sent unchanged: reading it and writing it again could mend what is wrong with it.
function textRequest(text, email) {
  if (email === "") return { mediaType: "application/json", body: text };
  let credential = JSON.stringify(text);
  if (text.startsWith("{")) {
    try {
      JSON.parse(text);
    } catch {
      throw new Refusal("This is not a badge", ["The text is not whole, or something was changed in it. Paste all of it, or choose the file."]);
    }
    credential = text;
  }
  const expect = JSON.stringify({ email: email });
  return { mediaType: "application/json", body: '{"credential":' + credential + ',"expect":' + expect + "}" };
}

function tooLarge() {
  return new Refusal("This is too large for a badge", ["Badges have up to 256 KiB of text or 4 MiB of image."]);
}

// The headline needs the verdict, the person and the issuer: a genuine badge of somebody else proves nothing, and
// neither does one that somebody has signed for themselves under the name of a school.
function headlineOf(verdict) {
  const checks = Array.isArray(verdict.checks) ? verdict.checks : [];
  if (verdict.verdict === "valid") return validHeadline(verdict);
  if (verdict.verdict === "invalid") {
    return { tone: "bad", words: "Not valid", says: detailsOf(checks, "fail") };
  }
  return { tone: "warn", words: "Cannot tell", says: detailsOf(checks, "unknown").concat("This is neither a yes nor a no. Please try again later.") };
}

function validHeadline(verdict) {
  const issuer = (verdict.credential && verdict.credential.issuer) || {};
  const name = typeof issuer.name === "string" ? issuer.name : "the issuer";
  const signer = signerOf(issuer.id);
  const match = verdict.recipient_match;
  const says = [];
  if (match === "no") {
    return { tone: "bad", words: "Genuine, but not this person’s", says: ["The badge is valid. It was not issued to this e-mail address."] };
  } else if (match === "yes") {
    says.push("The badge is genuine, in force, and issued to this e-mail address.");
  } else if (match === "unknown") {
    says.push("The badge is genuine and in force, but it holds nothing to compare the e-mail address with.");
  } else {
    says.push("The badge is genuine and in force. Whose it is was not checked: add the person’s e-mail address to find out.");
  }
  if (verdict.issuer_trust === "recognised") {
    says.push("The issuer, " + name + ", is recognised here.");
  } else if (verdict.issuer_trust === "unknown") {
    says.push("The badge names " + name + " as its issuer, which is not among the issuers recognised here.");
    return { tone: "warn", words: "Valid, but the issuer is not recognised here", says: says };
  } else if (signer === null) {
    says.push("The badge names " + name + " as its issuer, but anybody can make such a key. Ask the issuer whether it is theirs.");
    return { tone: "warn", words: "Valid, but who signed it is not known", says: says };
  } else {
    says.push("Signed by " + signer + ", which calls itself " + name + ". Whether you trust it is for you to decide.");
  }
  if (match === "unknown") return { tone: "warn", words: "Valid. Whose it is cannot be told", says: says };
  return { tone: "good", words: match === "yes" ? "Valid, and this person’s" : "Valid", says: says };
}

// The host that answers for the issuer. It is proved by the signature; the issuer's name is only claimed.
function signerOf(id) {
  if (typeof id !== "string") return null;
  const web = /^did:web:([A-Za-z0-9.-]+(?:%3A[0-9]+)?)(?::|$)/i.exec(id);
  if (web !== null) return web[1].replace(/%3A/i, ":");
  try {
    const url = new URL(id);
    return url.protocol === "https:" || url.protocol === "http:" ? url.host : null;
  } catch {
    return null;
  }
}

function detailsOf(checks, outcome) {
  return checks.filter((check) => check.outcome === outcome).map((check) => String(check.detail));
}

function showVerdict(verdict) {
  const headline = headlineOf(verdict);
  body.replaceChildren();
  body.append(banner(headline.tone, headline.words, headline.says));
  const isValid = verdict.verdict === "valid";
  if (verdict.credential && isValid) body.append(...summary(verdict.credential, "What the badge says"));
  body.append(element("h3", "", "What was checked"));
  const list = element("ol", "checks");
  for (const check of Array.isArray(verdict.checks) ? verdict.checks : []) list.append(checkRow(check));
  body.append(list);
  // What is not known to be true comes last, and under its proper name.
  if (verdict.credential && !isValid) body.append(...summary(verdict.credential, "What the badge claims, unconfirmed"));
  reveal(headline.words);
}

function showFailure(error) {
  const { title, details } = wordsOf(error);
  body.replaceChildren(banner("still", title, details));
  progress.textContent = "";
  reveal(title);
}

function reveal(words) {
  const heading = document.getElementById("verdict-heading");
  heading.textContent = "The verdict: " + words;
  section.hidden = false;
  heading.focus({ preventScroll: true });
  section.scrollIntoView({ block: "start" });
}

function banner(tone, words, sentences) {
  const box = element("div", "standing tone-" + tone);
  return fillBanner(box, own(ICONS, tone) || STILL, element("p", "standing-word", words), sentences);
}

function checkRow(check) {
  const outcome = own(OUTCOMES, check.outcome) || OUTCOMES.unknown;
  const row = element("li", "tone-" + outcome.tone);
  const mark = element("span", "mark", outcome.mark);
  mark.setAttribute("aria-hidden", "true");
  const line = element("div", "");
  line.append(element("span", "check-name", own(CHECK_NAMES, check.name) || String(check.name)), ": ");
  line.append(element("span", "check-outcome", outcome.words));
  row.append(mark, line);
  if (typeof check.detail === "string") row.append(element("p", "", check.detail));
  return row;
}

function summary(credential, title) {
  const card = element("div", "card");
  const facts = element("dl", "facts");
  const issuer = credential.issuer || {};
  addFact(facts, "Achievement", credential.achievement);
  addFact(facts, "Issuer", issuer.name);
  addFact(facts, "Issuer’s address", issuer.id, "code-line");
  addFact(facts, "Valid from", dateInWords(credential.valid_from));
  addFact(facts, "Valid until", credential.valid_until ? dateInWords(credential.valid_until) : "No end date");
  addFact(facts, "Standing", own(STATUSES, credential.status));
  if (credential.scoring) addFact(facts, "How it was scored", scoringInWords(credential.scoring));
  addFact(facts, "Credential", credential.id, "code-line");
  card.append(facts);
  return [element("h3", "", title), card];
}

function scoringInWords(scoring) {
  const parts = [];
  if (typeof scoring.raters === "number") parts.push("Scored by " + scoring.raters + (scoring.raters === 1 ? " reader" : " readers"));
  if (own(MODES, scoring.review_mode)) parts.push("The rule: " + own(MODES, scoring.review_mode));
  if (scoring.assessors_qualified === true) parts.push("All had qualified for this rubric");
  if (scoring.assessors_qualified === false) parts.push("Assessors were not yet calibrated for this rubric");
  return parts.map((part) => part + ".").join(" ");
}

// What is no date is shown as it stands there.
function dateInWords(text) {
  return typeof text === "string" ? dayInWords(text) || text : "";
}
