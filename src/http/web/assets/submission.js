// Shows a submission to whoever may see it. Everything that comes back is shown as text, never as markup.
import { Refusal, addFact, banner, dayInWords, element, linkTo, own } from "./page.js";
import { askSigned, offerSignIn } from "./session.js";
import { showCoaching } from "./coaches.js";
import { feedbackView, inLanguage } from "./work.js";

const APPEAL_DAYS = 30;

const STATES = {
  draft: { tone: "still", words: "You are working on it", says: ["Nothing is handed in yet. Take the time that you need."] },
  submitted: { tone: "still", words: "Handed in", says: ["Your work has arrived safely and waits for a reader. Nothing is left for you to do now."] },
  returned: { tone: "warn", words: "Something is missing", says: ["Your work came back to you because it was not complete. Please add what is missing and hand it in again; it still counts as the same attempt."] },
  queued: { tone: "still", words: "Waiting for a reader", says: ["Your work is complete and in line to be read. Nothing is left for you to do now."] },
  in_review: { tone: "still", words: "Being read", says: ["A trained reader is going through your work with the public rubric, and does not know whose it is."] },
  resolving: { tone: "still", words: "Being decided", says: ["Your work has been read. Before it is decided, another reader may look at it too."] },
  adjudication: { tone: "still", words: "With one more reader", says: ["The first readers did not see everything the same way, so one more reads your work. That says nothing about its quality."] },
  on_hold: { tone: "warn", words: "Paused", says: ["A question about this submission is being looked into, and reading has stopped until it is settled. Nothing has been decided."] },
  appealed: { tone: "still", words: "Under appeal", says: ["Readers who have not seen your work before look at what you have asked about. What you have earned cannot be lowered by it."] },
  withdrawn: { tone: "still", words: "Given up by you", says: ["You have taken this attempt back. You can begin another one whenever you are ready."] },
  voided: { tone: "bad", words: "Closed without a result", says: ["This attempt was closed after a question about it had been looked into."] },
  expired: { tone: "still", words: "Closed", says: ["Nobody has worked on this attempt for a long time, so it was closed. You can begin another one whenever you are ready."] },
};
const AI_USE = {
  forbidden: "AI is not to be used for what is handed in here.",
  disclosed: "AI may be used, and you say where and with what.",
  free: "AI may be used freely.",
};
const OUTCOMES = {
  earned: { tone: "good", words: "Earned", says: ["Congratulations! Your work meets the rubric, and the micro-credential is yours."] },
  not_yet: { tone: "still", words: "Not yet", says: ["Thank you for your work. It was read with care, and it does not yet show everything that the rubric asks for. The feedback says what is strong already and what is still missing."] },
};
const WAITING = ["submitted", "queued", "in_review", "resolving", "adjudication", "on_hold"];
const EVENTS = {
  start: "Begun",
  save: "Work went on",
  submit: "Handed in",
  recall: "Taken back to go on working",
  mark_incomplete: "Sent back, because something was missing",
  mark_complete: "Found complete",
  claim: "A reader began",
  recuse_or_timeout: "The reader stepped back, and it waits for another one",
  all_sheets_locked: "The reading was finished",
  resolved: "Decided",
  needs_second: "A second reader was asked",
  needs_third: "One more reader was asked",
  third_locked: "The last reader finished",
  integrity_flag: "Paused, because of a question about it",
  cleared: "The question was settled, and nothing was found",
  upheld: "Closed after the question had been looked into",
  withdraw: "Given up",
  appeal: "Appealed",
  conclude: "The appeal was decided",
  inactive: "Closed, because nobody had worked on it",
  resubmit: "A new attempt begun",
};
const AWARDS = {
  pending_key: "Your badge is being signed. It will reach you by mail, and there is nothing more for you to do.",
  active: "Your badge is ready, and yours to share.",
  suspended: "Your badge is suspended for now. Its page says more.",
  revoked: "Your badge has been revoked. Its page says why.",
  expired: "The time of your badge is over. Its page stays.",
  superseded: "Your badge was replaced by a newer one. It remains genuine.",
};
const PROGRESS = {
  working: { tone: "still", words: "At work", says: ["The earner is working on it."] },
  submitted: { tone: "still", words: "Handed in", says: ["The work has been handed in and is on its way through the readers."] },
  earned: { tone: "good", words: "Earned", says: ["The earner has earned the micro-credential."] },
  closed: { tone: "still", words: "Closed", says: ["This submission has ended."] },
};

const kicker = document.getElementById("kicker");
const heading = document.getElementById("heading");
const lead = document.getElementById("lead");
const place = document.getElementById("submission");
const headingAtFirst = heading.textContent;
const titleAtFirst = document.title;

// The last segment of the address, still encoded as it stands there.
const id = window.location.pathname.split("/").pop();

offerSignIn("Fetching your submission…", open, close);

async function open() {
  const submission = await read();
  const family = "/api/v1/micro-credentials/" + encodeURIComponent(submission.micro_credential_id);
  // An earner's submission is pinned to a version, whose rubric it was read with.
  const path = Number.isInteger(submission.version) ? family + "/versions/" + submission.version : family;
  const version = await askSigned(path);
  showSubmission(submission, version);
  // Only its earner is told the state.
  if (typeof submission.state === "string") await showCoaching(place, submission, version.definition || {});
}

async function read() {
  try {
    return await askSigned("/api/v1/submissions/" + id);
  } catch (error) {
    if (error.status !== 404) throw error;
    throw new Refusal("This account has no such submission", ["Please check that the link is whole, or sign in with the e‑mail address that our letter went to."], document.getElementById("email"));
  }
}

function close() {
  place.replaceChildren();
  kicker.hidden = true;
  heading.textContent = headingAtFirst;
  heading.removeAttribute("lang");
  document.title = titleAtFirst;
  lead.hidden = false;
}

function showSubmission(submission, version) {
  const isOwn = typeof submission.state === "string";
  const definition = version.definition || {};
  heading.textContent = String(version.title);
  inLanguage(heading, definition);
  document.title = "Your submission: " + version.title + " · Assay";
  lead.hidden = true;
  kicker.hidden = false;
  if (isOwn) {
    kicker.textContent = submission.attempt > 1 ? "Your submission, attempt " + submission.attempt : "Your submission";
    place.replaceChildren(...ownView(submission, version, definition));
  } else {
    kicker.textContent = "A submission that you coordinate";
    document.title = "A submission: " + version.title + " · Assay";
    place.replaceChildren(...progressView(submission, version));
  }
}

// A coordinator sees how far it has come, and nothing of the work.
function progressView(submission, version) {
  const standing = own(PROGRESS, submission.progress) || { tone: "still", words: String(submission.progress), says: [] };
  const isWaiting = submission.progress === "submitted";
  const facts = element("dl", "facts facts-row");
  addFact(facts, "Begun on", dayInWords(submission.created_at));
  if (isWaiting) addFact(facts, "Answer promised by", dayInWords(submission.due_at));
  const card = element("div", "card");
  card.append(facts);
  return [
    banner(standing.tone, standing.words, standing.says.concat(isWaiting ? promise(submission.due_at, "The earner") : [])),
    card,
    rubricLink(version),
    element("p", "quiet", "Coordinators see how far a submission has come. The work, the scores and the feedback are for the earner, who may share them with you."),
  ];
}

function ownView(submission, version, definition) {
  const parts = [ownBanner(submission)];
  const facts = element("dl", "facts facts-row");
  addFact(facts, "Handed in on", dayInWords(submission.submitted_at));
  if (WAITING.includes(submission.state)) addFact(facts, "Answer promised by", dayInWords(submission.due_at));
  addFact(facts, "Decided on", dayInWords(submission.decided_at));
  if (facts.childElementCount > 0) {
    const card = element("div", "card");
    card.append(facts);
    parts.push(card);
  }
  if (submission.feedback) parts.push(...feedbackView(submission.feedback, definition));
  if (submission.decision === "not_yet") parts.push(...nextView(submission, version));
  parts.push(...aiUseView(submission));
  parts.push(rubricLink(version), stacksLink());
  parts.push(...timelineView(submission.timeline));
  return parts;
}

// What is allowed is said while it still matters, and what was said stays to be read.
function aiUseView(submission) {
  const rule = submission.ai_use_policy || {};
  const words = own(AI_USE, rule.policy);
  if (words === undefined && !submission.ai_use) return [];
  const parts = [element("h2", "", "Use of AI")];
  if (words !== undefined) parts.push(element("p", "", words));
  if (rule.statement) parts.push(element("p", "words", rule.statement));
  if (submission.ai_use) parts.push(element("p", "words", "You said: " + submission.ai_use));
  return parts;
}

function ownBanner(submission) {
  const decided = submission.state === "decided" ? own(OUTCOMES, submission.decision) : undefined;
  const standing = decided || own(STATES, submission.state) || { tone: "still", words: String(submission.state), says: [] };
  const says = standing.says.slice();
  if (WAITING.includes(submission.state)) says.push(...promise(submission.due_at, "You"));
  const box = banner(standing.tone, standing.words, says);
  if (submission.award) box.lastElementChild.append(...awardView(submission.award));
  return box;
}

function awardView(award) {
  const parts = [element("p", "", own(AWARDS, award.state) || "Your badge has a page of its own.")];
  // Only ever a page of this service, and none before there is something to see.
  if (award.state !== "pending_key" && /^\/credentials\/[0-9a-f-]{36}$/.test(award.path)) {
    const line = element("p", "");
    const link = element("a", award.state === "active" ? "button" : "", "See your badge");
    link.setAttribute("href", award.path);
    line.append(link);
    parts.push(line);
  }
  return parts;
}

function promise(due, who) {
  const day = dayInWords(due);
  if (day === "") return [];
  if (Date.parse(due) < Date.now()) {
    return ["An answer was promised by " + day + ". It is late, and that is not because of the work. We are sorry."];
  }
  return [who + " will hear from us by " + day + "."];
}

function nextView(submission, version) {
  const parts = [element("h2", "", "What you can do next")];
  parts.push(element("p", "", "You may hand in new work whenever you are ready. It will be read afresh."));
  const allowed = Array.isArray(submission.allowed_events) && submission.allowed_events.includes("appeal");
  const end = Date.parse(submission.decided_at) + APPEAL_DAYS * 24 * 60 * 60 * 1000;
  if (allowed && Date.now() < end) {
    const appeal = element("p", "", "If you think that the review went wrong, you may appeal until " + dayInWords(end) + ". ");
    const path = "/issuers/" + encodeURIComponent(version.organization_id);
    appeal.append("Write to those who offer this micro-credential; ", linkTo(path, "their page"), " says how to reach them.");
    parts.push(appeal);
  }
  return parts;
}

function rubricLink(version) {
  const line = element("p", "");
  const path = "/achievements/" + encodeURIComponent(version.id) + "/versions/" + encodeURIComponent(version.version);
  line.append(linkTo(path, "Read the public rubric"));
  return line;
}

function stacksLink() {
  const line = element("p", "");
  line.append(linkTo("/stacks", "See what your badges come to together"));
  return line;
}

function timelineView(steps) {
  if (!Array.isArray(steps) || steps.length === 0) return [];
  const list = element("ol", "timeline");
  for (const step of steps) {
    const row = element("li", "");
    const time = element("time", "quiet", dayInWords(step.happened_at));
    time.setAttribute("datetime", String(step.happened_at));
    row.append(element("span", "", own(EVENTS, step.event) || String(step.event)), time);
    list.append(row);
  }
  return [element("h2", "", "What has happened so far"), list];
}
