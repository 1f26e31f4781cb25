// What an earner sees of the coaches of a submission: whom they have asked, what these have said, and a form to ask one.
import { Refusal, addFact, dayInWords, element, paragraphs, showProblem } from "./page.js";
import { askSigned, postSigned } from "./session.js";
import { itemsOf } from "./work.js";

// Where a coach can be asked: before work is handed in, and once it is decided.
const CAN_ASK = ["draft", "returned", "decided"];
const SHARES = { responses: "my answers", evidence: "my evidence", feedback: "the decision and the feedback, once there are" };

// Appends the section to a place, and keeps it up to date. What goes wrong is said in the section: the rest of the page stays as it is.
export async function showCoaching(place, submission, definition) {
  const section = element("section", "");
  section.id = "coaching";
  place.append(section);
  try {
    await fill(section, submission, definition);
  } catch (error) {
    const problem = messageBox();
    section.replaceChildren(element("h2", "", "Your coaches"), problem);
    showProblem(problem, error);
  }
}

async function fill(section, submission, definition) {
  const asked = [];
  for (const line of await listAll("/api/v1/coachings")) {
    // Somebody who is a coach as well has others' coachings in the same list.
    if (line.submission_id === submission.id) asked.push(await askSigned("/api/v1/coachings/" + line.id));
  }
  const again = () => fill(section, submission, definition);
  const parts = asked.map((coaching) => coachingCard(coaching, definition, again));
  if (parts.length === 0) parts.push(element("p", "", "You have asked nobody to look at this yet."));
  if (CAN_ASK.includes(submission.state)) {
    const { items } = await askSigned("/api/v1/submissions/" + submission.id + "/coaches");
    parts.push(...askForm(items, submission, again));
  }
  section.replaceChildren(element("h2", "", "Your coaches"), ...parts);
}

// All pages of a list.
export async function listAll(path) {
  const found = [];
  let cursor = null;
  do {
    const page = await askSigned(path + "?limit=100" + (cursor === null ? "" : "&cursor=" + encodeURIComponent(cursor)));
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}

function coachingCard(coaching, definition, again) {
  const card = element("section", "card");
  card.append(element("h3", "card-title", coaching.coach.name));
  const facts = element("dl", "facts facts-row");
  addFact(facts, "Asked on", dayInWords(coaching.asked_at));
  const shared = coaching.shares.map((share) => SHARES[share] || share).join(", ");
  addFact(facts, "Sees", coaching.ended_at === null ? shared : "nothing any more, since " + dayInWords(coaching.ended_at));
  card.append(facts, ...commentsView(coaching.comments, definition, "Nothing is said yet."));
  if (coaching.ended_at === null) {
    const problem = messageBox();
    const button = element("button", "button button-quiet", "Stop sharing with " + coaching.coach.name);
    button.setAttribute("type", "button");
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await askSigned("/api/v1/coachings/" + coaching.id, { method: "DELETE" });
        await again();
      } catch (error) {
        showProblem(problem, error);
        button.disabled = false;
      }
    });
    card.append(problem, button);
  }
  return card;
}

// What a coach has said, each with what it is about.
export function commentsView(comments, definition, none) {
  if (comments.length === 0) return [element("p", "quiet", none)];
  const titles = new Map(itemsOf(definition).map((item) => [item.id, item.title]));
  return comments.map((comment) => {
    const box = element("div", "comment");
    const about = comment.item_id === null ? "About the whole" : "About: " + (titles.get(comment.item_id) || comment.item_id);
    box.append(element("p", "quiet", about + " · " + dayInWords(comment.written_at)));
    box.append(element("p", "words", comment.text === null ? "These words are not kept any more." : comment.text));
    return box;
  });
}

export function messageBox() {
  const box = element("div", "message tone-bad");
  box.setAttribute("role", "alert");
  box.hidden = true;
  return box;
}

function askForm(coaches, submission, again) {
  if (coaches.length === 0) return [element("p", "quiet", "There is nobody yet whom you could ask.")];
  const form = element("form", "card");
  form.setAttribute("novalidate", "");
  const fields = element("fieldset", "");
  fields.append(element("legend", "card-title", "Ask a coach"));
  fields.append(...paragraphs(["Whoever you ask knows whose work it is, and so is never asked to score it."]));
  const who = element("select", "");
  who.id = "coach";
  for (const coach of coaches) {
    const option = element("option", "", coach.name);
    option.setAttribute("value", coach.person_id);
    who.append(option);
  }
  fields.append(field("coach", "Who", who));
  const boxes = Object.entries(SHARES).map(([share, words]) => {
    const line = element("div", "choice");
    const box = element("input", "");
    box.setAttribute("type", "checkbox");
    box.id = "share-" + share;
    box.value = share;
    const label = element("label", "", "They may see " + words);
    label.setAttribute("for", box.id);
    line.append(box, label);
    fields.append(line);
    return box;
  });
  const problem = messageBox();
  const button = element("button", "button", "Ask");
  button.setAttribute("type", "submit");
  fields.append(problem, button);
  form.append(fields);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const shares = boxes.filter((box) => box.checked).map((box) => box.value);
    fields.disabled = true;
    try {
      if (shares.length === 0) throw new Refusal("Nothing is shared yet", ["Choose at least one thing that they may see."]);
      await postSigned("/api/v1/submissions/" + submission.id + "/coachings", { person_id: who.value, shares: shares });
      await again();
    } catch (error) {
      showProblem(problem, error);
      fields.disabled = false;
    }
  });
  return [form];
}

export function field(id, words, input) {
  const box = element("div", "field");
  const label = element("label", "", words);
  label.setAttribute("for", id);
  box.append(label, input);
  return box;
}
