// Shows what a contributor is asked for, and sends their words or a file. The secret is in the fragment of the link, so that no server and
// no log ever sees it on the way here; this posts it. Everything that comes back is shown as text, never as markup.
import { Refusal, ask, own, post, showProblem } from "./page.js";

// What people call these files, and the endings that phones know them by.
const FILES = {
  "application/pdf": { words: "PDF", endings: ".pdf" },
  "image/jpeg": { words: "photo (JPEG)", endings: ".jpg,.jpeg" },
  "image/heic": { words: "photo (HEIC)", endings: ".heic,.heif" },
  "image/png": { words: "picture (PNG)", endings: ".png" },
  "audio/mpeg": { words: "recording (MP3)", endings: ".mp3" },
  "audio/mp4": { words: "recording (M4A)", endings: ".m4a" },
  "video/mp4": { words: "film (MP4)", endings: ".mp4,.m4v" },
  "video/quicktime": { words: "film (MOV)", endings: ".mov,.qt" },
  "text/plain": { words: "plain text", endings: ".txt" },
  "text/markdown": { words: "Markdown", endings: ".md" },
  "text/csv": { words: "CSV", endings: ".csv" },
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": { words: "Word document", endings: ".docx" },
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": { words: "Excel table", endings: ".xlsx" },
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": { words: "PowerPoint slides", endings: ".pptx" },
};

const problem = document.getElementById("contribution-problem");
const form = document.getElementById("contribution-form");
const fields = document.getElementById("contribution-fields");
const words = document.getElementById("contribution-text");
const file = document.getElementById("contribution-file");
const progress = document.getElementById("contribution-progress");
const withFile = document.getElementById("contribution-with-file");
const withWords = document.getElementById("contribution-with-words");
const token = /^#([A-Za-z0-9_-]+)$/.exec(window.location.hash);
let taken = [];

if (token === null) {
  close(new Refusal("Your link is not complete", ["Open it again, or copy it whole from where you got it."]));
} else {
  sendWords("/api/v1/contributions/read", {}).then(show, close);
}

for (const choice of [withWords, withFile]) choice.addEventListener("change", showChoice);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.hidden = true;
  const isFile = withFile.checked;
  const missing = isFile ? faultOfFile(file.files[0]) : faultOfWords();
  if (missing !== null) {
    fail(missing);
    (isFile ? file : words).focus();
    return;
  }
  fields.disabled = true;
  progress.textContent = isFile ? "Sending… This can take some minutes. Please keep this page open." : "Sending…";
  try {
    await (isFile ? sendFile(file.files[0]) : sendWords("/api/v1/contributions", { text: words.value }));
    finish();
  } catch (error) {
    // What was written and chosen stays where it is.
    fields.disabled = false;
    fail(error);
  }
  progress.textContent = "";
});

function faultOfWords() {
  if (words.value.trim() !== "") return null;
  return new Refusal("Nothing is written yet", ["Write what you have seen, in a few sentences."]);
}

// The service looks again. Saying it here spares somebody on a phone the minutes of an upload that cannot be taken.
function faultOfFile(chosen) {
  if (chosen === undefined) return new Refusal("No file is chosen yet", ["Choose the recording, photo or document that you want to send."]);
  const ending = "." + chosen.name.split(".").pop().toLowerCase();
  const kinds = taken.filter((kind) => (own(FILES, kind.media_type) || { endings: "" }).endings.split(",").includes(ending));
  if (kinds.length === 0) return new Refusal("This kind of file is not asked for", ["“" + chosen.name + "” cannot be taken here. What can be: " + kindsInWords() + "."]);
  const most = Math.max(...kinds.map((kind) => kind.max_bytes));
  if (chosen.size > most) return new Refusal("This file is too large", ["It has " + sizeInWords(chosen.size) + ", and at most " + sizeInWords(most) + " can be sent. A shorter recording or a smaller picture will do."]);
  return null;
}

function sizeInWords(bytes) {
  const megabytes = Math.max(1, Math.round(bytes / (1024 * 1024)));
  return megabytes < 1024 ? megabytes + " MB" : Math.round(megabytes / 1024) + " GB";
}

// What can be sent, together where it may be as large.
function kindsInWords() {
  const bySize = new Map();
  for (const kind of taken) {
    const words = (own(FILES, kind.media_type) || { words: kind.media_type }).words;
    bySize.set(kind.max_bytes, (bySize.get(kind.max_bytes) || []).concat(words));
  }
  return [...bySize].map(([size, words]) => words.join(", ") + ", up to " + sizeInWords(size)).join("; ");
}

function showChoice() {
  document.getElementById("contribution-words-part").hidden = !withWords.checked;
  document.getElementById("contribution-file-part").hidden = !withFile.checked;
  problem.hidden = true;
}

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
  taken = Array.isArray(asked.files) ? asked.files : [];
  document.getElementById("contribution-choice").hidden = taken.length === 0;
  text("contribution-file-help", "What can be sent: " + kindsInWords() + ".");
  // Types for browsers that know them, endings for phones that do not.
  file.setAttribute("accept", taken.map((kind) => kind.media_type + "," + (own(FILES, kind.media_type) || { endings: "" }).endings).join(","));
  fields.disabled = false;
  showChoice();
}

async function sendWords(path, body) {
  return known(() => post(path, { token: token[1], ...body }));
}

// An upload has no end that this page could know: the service ends one that stands still.
async function sendFile(chosen) {
  const body = new FormData();
  // The secret first: nothing is taken from whoever has none.
  body.append("token", token[1]);
  body.append("file", chosen);
  return known(() => ask("/api/v1/contributions", { method: "POST", body: body, signal: null }));
}

async function known(work) {
  try {
    return await work();
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
