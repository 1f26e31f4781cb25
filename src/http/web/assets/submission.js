// Shows a submission to whoever may see it; session.js signs them in. Everything that comes back is shown as text, never as markup.
import { Refusal, addFact, banner, dayInWords, element, linkTo, own } from "./page.js";
import { askSigned, email, heading, lead, start } from "./session.js";

const APPEAL_DAYS = 30;
// The lowest level of a prompt that passes; criteria name their own.
const PROMPT_PASS_LEVEL = 1;

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
const place = document.getElementById("submission");

// The last segment of the address, still encoded as it stands there.
const id = window.location.pathname.split("/").pop();

start({
  fetching: "Fetching your submission…",
  load: read,
  show: showSubmission,
  clear: () => {
    place.replaceChildren();
    kicker.hidden = true;
  },
});

async function read() {
  let submission;
  try {
    submission = await askSigned("/api/v1/submissions/" + id);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
    throw new Refusal("This account has no such submission", ["Please check that the link is whole, or sign in with the e‑mail address that our letter went to."], email);
  }
  const family = "/api/v1/micro-credentials/" + encodeURIComponent(submission.micro_credential_id);
  // An earner's submission is pinned to a version, whose rubric it was read with.
  const path = Number.isInteger(submission.version) ? family + "/versions/" + submission.version : family;
  return { submission: submission, version: await askSigned(path) };
}

function showSubmission({ submission, version }) {
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

function feedbackView(feedback, definition) {
  const parts = [element("h2", "", "What the readers say")];
  for (const text of feedback.overall_feedback || []) {
    if (typeof text === "string" && text.trim() !== "") parts.push(element("p", "competency words", text));
  }
  const { criteria, prompts } = scaleOf(definition);
  const given = new Map((feedback.levels || []).map((level) => [level.criterion_id, level]));
  const passed = criteria.filter((criterion) => isPassing(criterion, given.get(criterion.id)));
  const scored = criteria.filter((criterion) => given.has(criterion.id));
  if (scored.length > 0) {
    parts.push(element("h2", "", "Criterion by criterion"));
    parts.push(element("p", "", "The pass level is reached on " + passed.length + " of " + scored.length + (scored.length === 1 ? " criterion." : " criteria.")));
    for (const criterion of scored) parts.push(scoreView(criterion, given.get(criterion.id), definition));
  }
  const answered = prompts.filter((prompt) => given.has(prompt.id));
  if (answered.length > 0) {
    parts.push(element("h2", "", "Your answers"));
    for (const prompt of answered) parts.push(scoreView(prompt, given.get(prompt.id), definition));
  }
  return parts;
}

// The criteria and prompts of a definition, each with what it is called, its levels and the one that passes.
function scaleOf(definition) {
  const submission = definition.submission || {};
  const criteria = ((submission.part2 && submission.part2.criteria) || []).map((criterion) => {
    return { id: criterion.id, title: criterion.title, levels: criterion.levels || [], passLevel: criterion.pass_level };
  });
  const parts = [submission.part1, submission.part3].filter((part) => part && Array.isArray(part.prompts));
  const prompts = parts.flatMap((part) => part.prompts).map((prompt) => {
    return { id: prompt.id, title: prompt.text, levels: prompt.levels || [], passLevel: PROMPT_PASS_LEVEL };
  });
  return { criteria: criteria, prompts: prompts };
}

function isPassing(item, score) {
  return score !== undefined && typeof score.level === "number" && score.level >= item.passLevel;
}

function scoreView(item, score, definition) {
  const box = element("section", "card score");
  const title = element("h3", "", String(item.title));
  inLanguage(title, definition);
  box.append(title);
  const passes = isPassing(item, score);
  const reached = item.levels.find((level) => level.level === score.level);
  const line = element("p", "");
  line.append(element("span", passes ? "tag tag-pass" : "tag", passes ? "Pass level reached" : "Still to come"), " ");
  if (typeof score.level !== "number") {
    line.append(element("span", "strong", "It could not be scored from what was handed in."));
  } else {
    const label = element("span", "strong", reached ? String(reached.label) : "Level " + score.level);
    inLanguage(label, definition);
    line.append(label);
  }
  box.append(line);
  if (reached) box.append(inLanguage(element("p", "", String(reached.descriptor)), definition));
  if (typeof score.feedback === "string" && score.feedback.trim() !== "") {
    box.append(element("p", "words reader-words", score.feedback));
  }
  const wanted = item.levels.find((level) => level.level === item.passLevel);
  if (!passes && wanted) {
    const pass = element("p", "would-pass");
    pass.append(element("span", "strong", "What would pass: "));
    pass.append(inLanguage(element("span", "", wanted.label + ". " + wanted.descriptor), definition));
    box.append(pass);
  }
  return box;
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

function inLanguage(node, definition) {
  if (/^[A-Za-z0-9-]{2,35}$/.test(definition.language)) node.setAttribute("lang", definition.language);
  return node;
}
