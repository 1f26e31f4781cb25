// Shows a coach the work that earners share with them, and lets them say something; and asks whoever was named whether they have made
// something together. Everything that comes back is shown as text, never as markup.
import { commentsView, field, listAll, messageBox } from "./coaches.js";
import { Refusal, banner, dayInWords, element, linkTo, own, showProblem } from "./page.js";
import { askSigned, downloadButton, offerSignIn, postSigned } from "./session.js";
import { feedbackView, inLanguage, itemsOf } from "./work.js";

const OUTCOMES = { earned: "Earned", not_yet: "Not yet" };
const ANSWERS = { asked: "Not answered yet", confirmed: "You said: yes, together", denied: "You said: no, I had no part in it" };

const heading = document.getElementById("heading");
const lead = document.getElementById("lead");
const place = document.getElementById("coachings");
const problem = document.getElementById("problem");
const headingAtFirst = heading.textContent;
const titleAtFirst = document.title;

// Who has signed in; nobody while nobody has.
let me = null;

offerSignIn("Fetching what you are asked…", open, close);
window.addEventListener("hashchange", async () => {
  if (me === null) return;
  problem.hidden = true;
  try {
    await show();
  } catch (error) {
    showProblem(problem, error);
  }
  heading.focus();
  window.scrollTo(0, 0);
});

async function open() {
  me = (await askSigned("/api/v1/me")).id;
  await show();
}

function close() {
  me = null;
  place.replaceChildren();
  title(headingAtFirst, titleAtFirst);
  lead.hidden = false;
}

function title(words, whole) {
  heading.textContent = words;
  heading.removeAttribute("lang");
  document.title = whole;
}

// The fragment of the address names what lies open, so that the way back leads to the list.
async function show() {
  const id = /^#([0-9a-f-]{36})$/.exec(window.location.hash);
  lead.hidden = true;
  if (id === null) await showList();
  else await showWork(id[1]);
}

async function showList() {
  title("What colleagues ask of you", titleAtFirst);
  const coachings = (await listAll("/api/v1/coachings")).filter((line) => line.coach.person_id === me);
  const shared = await listAll("/api/v1/shared-evidence");
  const parts = [element("h2", "", "Work to look at")];
  if (coachings.length === 0) {
    parts.push(element("p", "empty", "Nobody shares work with you now. When an earner asks you to look at theirs, you are told by mail, and find it here."));
  } else {
    const list = element("ul", "items");
    list.append(...coachings.map(lineView));
    parts.push(list);
  }
  if (shared.length > 0) {
    parts.push(element("h2", "", "Made together with you?"));
    parts.push(element("p", "", "Colleagues say that you have made these items of evidence together with them. What the items hold is theirs to show you."));
    for (const one of shared) parts.push(sharedCard(one, await requirementOf(one)));
  }
  place.replaceChildren(...parts);
}

function lineView(line) {
  const item = element("li", "item");
  const name = element("h3", "");
  name.append(linkTo("#" + line.id, line.title));
  item.append(name, element("p", "item-owner", line.earner.name + " · asked on " + dayInWords(line.asked_at)));
  const state = element("p", "");
  state.append(element("span", line.is_open ? "tag tag-pass" : "tag", line.is_open ? "You can comment" : "Closed for now"));
  item.append(state);
  return item;
}

// What the requirement is called in the rubric, which is public.
async function requirementOf(shared) {
  const version = await versionOf(shared);
  const item = itemsOf(version.definition || {}).find((one) => one.id === shared.requirement_id);
  return item === undefined ? shared.requirement_id : item.title;
}

function versionOf(work) {
  return askSigned("/api/v1/micro-credentials/" + work.micro_credential_id + "/versions/" + work.version);
}

function sharedCard(shared, requirement) {
  const card = element("section", "card");
  card.append(element("h3", "card-title", shared.title));
  card.append(element("p", "", shared.earner.name + " has named you for a " + shared.kind + " under “" + requirement + "”, on " + dayInWords(shared.asked_at) + "."));
  card.append(element("p", "strong", own(ANSWERS, shared.state) || shared.state));
  const refused = messageBox();
  card.append(refused);
  if (!shared.can_answer) return card;
  const buttons = element("p", "buttons");
  for (const [isConfirmed, words, look] of [[true, "Yes, together", "button"], [false, "No, I had no part in it", "button button-quiet"]]) {
    const button = element("button", look, words);
    button.setAttribute("type", "button");
    button.addEventListener("click", async () => {
      for (const each of buttons.children) each.disabled = true;
      try {
        const now = await postSigned("/api/v1/shared-evidence/" + shared.id + "/answer", { is_confirmed: isConfirmed });
        card.replaceWith(sharedCard(now, requirement));
      } catch (error) {
        showProblem(refused, error);
        for (const each of buttons.children) each.disabled = false;
      }
    });
    buttons.append(button);
  }
  card.append(buttons);
  return card;
}

async function showWork(id) {
  let coaching;
  try {
    coaching = await askSigned("/api/v1/coachings/" + id);
  } catch (error) {
    if (error.status !== 404) throw error;
    // What is left is in the list.
    window.history.replaceState(null, "", window.location.pathname);
    await showList();
    showProblem(problem, new Refusal("This work is not shared with you", ["Its earner may have ended it. What is shared with you now is in the list."]));
    return;
  }
  const version = await versionOf(coaching);
  const definition = version.definition || {};
  title(String(version.title), "Coaching: " + version.title + " · Assay");
  inLanguage(heading, definition);
  const parts = [back(), element("p", "kicker", "Shared by " + coaching.earner.name), standing(coaching)];
  parts.push(...answersView(coaching, definition), ...evidenceView(coaching, definition), ...decisionView(coaching, definition));
  const comments = element("div", "");
  const fill = (said) => comments.replaceChildren(...commentsView(said, definition, "You have said nothing yet."));
  fill(coaching.comments);
  parts.push(element("h2", "", "What you have said"), comments);
  if (coaching.is_open) parts.push(commentForm(coaching, definition, fill));
  place.replaceChildren(...parts);
}

function back() {
  const line = element("p", "");
  line.append(linkTo("#", "← All that you are asked"));
  return line;
}

function standing(coaching) {
  const words = coaching.is_open ? "You can comment" : "Closed for now";
  const says = coaching.is_open
    ? ["Your words go to the earner, and nobody who scores the work sees them."]
    : ["A coach helps before work is handed in and once it is decided. You can read what is shared, and comment again when it is open."];
  return banner(coaching.is_open ? "good" : "still", words, says);
}

function answersView(coaching, definition) {
  if (!coaching.shares.includes("responses")) return [];
  const parts = [element("h2", "", "Answers")];
  const given = Object.entries(coaching.responses || {});
  if (given.length === 0) parts.push(element("p", "quiet", "There are no answers yet."));
  const titles = new Map(itemsOf(definition).map((item) => [item.id, item.title]));
  for (const [prompt, answer] of given) {
    const card = element("section", "card");
    card.append(inLanguage(element("h3", "card-title", titles.get(prompt) || prompt), definition));
    card.append(element("p", "words", typeof answer === "string" ? answer : "Answered by a recording; it is among the evidence."));
    parts.push(card);
  }
  return parts;
}

function evidenceView(coaching, definition) {
  if (!coaching.shares.includes("evidence")) return [];
  const parts = [element("h2", "", "Evidence")];
  const items = coaching.evidence || [];
  if (items.length === 0) parts.push(element("p", "quiet", "There is no evidence yet."));
  const titles = new Map(itemsOf(definition).map((item) => [item.id, item.title]));
  for (const item of items) {
    const card = element("section", "card");
    card.append(inLanguage(element("h3", "card-title", titles.get(item.requirement_id) || item.requirement_id), definition));
    if (item.text !== null) card.append(element("p", "words", item.text));
    if (item.url !== null) card.append(outsideLink(item.url));
    if (item.kind === "file") {
      const refused = messageBox();
      const size = Math.max(1, Math.round(item.size_bytes / 1024)).toLocaleString("en-GB");
      card.append(element("p", "quiet", item.media_type + ", " + size + " KiB"), refused);
      card.append(downloadButton("Save " + item.file_name, item.content_path, item.file_name, (error) => showProblem(refused, error)));
    }
    parts.push(card);
  }
  return parts;
}

// A link that its earner has given: whole to be read, and followed without saying from where.
function outsideLink(address) {
  const line = element("p", "code-line");
  if (!/^https?:\/\//.test(address)) {
    line.textContent = address;
    return line;
  }
  const link = linkTo(address, address);
  link.setAttribute("rel", "noreferrer noopener nofollow");
  link.setAttribute("target", "_blank");
  line.append(link);
  return line;
}

function decisionView(coaching, definition) {
  if (!coaching.shares.includes("feedback")) return [];
  if (coaching.decision === null) return [element("h2", "", "Decision"), element("p", "quiet", "It is not decided yet.")];
  const parts = [element("h2", "", "Decision"), element("p", "strong", own(OUTCOMES, coaching.decision) || coaching.decision)];
  return coaching.feedback === null ? parts : parts.concat(feedbackView(coaching.feedback, definition));
}

function commentForm(coaching, definition, fill) {
  const form = element("form", "card");
  form.setAttribute("novalidate", "");
  const fields = element("fieldset", "");
  fields.append(element("legend", "card-title", "Say something"));
  const about = element("select", "");
  about.id = "comment-about";
  const whole = element("option", "", "The whole");
  whole.setAttribute("value", "");
  about.append(whole);
  for (const item of itemsOf(definition)) {
    const option = element("option", "", item.kind + ": " + item.title);
    option.setAttribute("value", item.id);
    about.append(option);
  }
  const text = element("textarea", "prose");
  text.id = "comment-text";
  text.setAttribute("rows", "6");
  text.setAttribute("maxlength", "4000");
  const refused = messageBox();
  const button = element("button", "button", "Send it to " + coaching.earner.name);
  button.setAttribute("type", "submit");
  fields.append(field("comment-about", "About", about), field("comment-text", "Your words", text), refused, button);
  form.append(fields);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    refused.hidden = true;
    if (text.value.trim() === "") {
      showProblem(refused, new Refusal("Nothing is written yet", ["Write what would help the earner on."]));
      text.focus();
      return;
    }
    fields.disabled = true;
    const body = { text: text.value };
    if (about.value !== "") body.item_id = about.value;
    try {
      const now = await postSigned("/api/v1/coachings/" + coaching.id + "/comments", body);
      text.value = "";
      fill(now.comments);
    } catch (error) {
      // What was written stays where it is.
      showProblem(refused, error);
    }
    fields.disabled = false;
    text.focus();
  });
  return form;
}
