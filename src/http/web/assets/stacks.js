// Shows somebody how far they are with each stack of their organizations; session.js signs them in.
import { ICONS, dayInWords, element, linkTo, own, seal, showProblem } from "./page.js";
import { askSigned, offerSignIn } from "./session.js";

// Why an award at something that is asked does not count now.
const UNCOUNTED = {
  pending_key: "Your badge for it is being signed, and counts as soon as it is.",
  suspended: "Your badge for it is suspended. It counts again when that has ended.",
  expired: "The time of your badge for it is over. Renew it, or earn it again.",
  revoked: "Your badge for it was revoked. You may earn it again.",
  superseded: "Your badge for it was replaced by a newer one, which does not count now.",
};

const heading = document.getElementById("heading");
const lead = document.getElementById("lead");
const place = document.getElementById("stacks");
const problem = document.getElementById("problem");
const leadAtFirst = lead.textContent;

offerSignIn("Fetching your stacks…", open, close);

async function open() {
  showStacks(await read());
}

function close() {
  place.replaceChildren();
  lead.textContent = leadAtFirst;
  lead.hidden = false;
}

async function read() {
  const stacks = [];
  let cursor = null;
  do {
    const page = await askSigned("/api/v1/me/stacks" + (cursor === null ? "" : "?cursor=" + encodeURIComponent(cursor)));
    stacks.push(...page.items);
    cursor = typeof page.next_cursor === "string" ? page.next_cursor : null;
  } while (cursor !== null);
  return stacks;
}

function showStacks(stacks) {
  lead.hidden = stacks.length === 0;
  lead.textContent = "Only badges that are in force count. A badge may count in more than one stack.";
  if (stacks.length === 0) {
    const none = element("div", "empty");
    none.append(element("p", "strong", "There is no stack here yet"));
    const line = element("p", "", "Nobody in your organization has published one. What you earn meanwhile may count in it: ");
    line.append(linkTo("/", "see what can be earned"), ".");
    none.append(line);
    place.replaceChildren(none);
    return;
  }
  place.replaceChildren(...stacks.map(stackView));
}

function stackView(stack) {
  const card = element("article", "card stack");
  const title = element("h2", "");
  title.append(inLanguage(linkTo(stack.path, stack.title), stack));
  card.append(title, element("p", "quiet", stack.organization));
  if (stack.summary) card.append(inLanguage(element("p", "", stack.summary), stack));
  card.append(track(stack), standing(stack));
  const parts = element("div", "stack-parts");
  parts.append(...stack.parts.map((part) => partView(part, stack)));
  card.append(parts);
  return card;
}

// One piece for each badge that is asked for, those that are held first.
function track(stack) {
  const asked = sum(stack.parts, (part) => part.asked);
  const held = asked - sum(stack.parts, (part) => part.needed);
  const box = element("div", "track");
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", held + " of " + asked + " are there");
  for (let n = 0; n < asked; n += 1) box.append(element("span", n < held ? "is-held" : ""));
  return box;
}

function standing(stack) {
  const [tone, words, sentence] = standingOf(stack);
  const box = element("div", "stack-standing tone-" + tone);
  const text = element("div", "");
  text.append(element("p", "strong", words));
  if (sentence !== "") text.append(element("p", "", sentence));
  if (stack.award_id !== null && stack.award_state !== "pending_key") {
    const line = element("p", "");
    line.append(linkTo("/credentials/" + encodeURIComponent(stack.award_id), "See your credential"));
    text.append(line);
  } else if (stack.is_met && stack.award_id === null && stack.state === "published") {
    text.append(claimButton(stack));
  }
  box.append(seal(ICONS[tone], "mark-seal"), text);
  return box;
}

function standingOf(stack) {
  const until = dayInWords(stack.replaceable_until);
  if (stack.award_state === "pending_key") return ["still", "Your credential is being signed", "It will reach you by mail, and there is nothing more for you to do."];
  if (stack.award_state === "active" && stack.is_met) return ["good", "You hold this credential", ""];
  if (stack.award_state === "active") return ["warn", "A badge that your credential rests on does not count any more", "The credential will be suspended within the hour. It comes back when the badge does, or when another one takes its place."];
  if (stack.award_state === "suspended" && until === "") return ["warn", "Your credential is suspended", "Its page says more."];
  if (stack.award_state === "suspended" && Date.parse(stack.replaceable_until) >= Date.now()) {
    return ["warn", "Suspended: a badge that it rests on does not count any more", "Replace it by " + until + ", and your credential comes back by itself."];
  }
  if (stack.award_state === "suspended") return ["warn", "Suspended: a badge that it rests on does not count any more", "It could be replaced until " + until + ". The credential comes back when every badge that it names counts again."];
  if (stack.is_met && stack.state === "published") return ["good", "Everything is there", "The credential names the badges that count. You ask for it, because it ties them together."];
  const needed = sum(stack.parts, (part) => part.needed);
  return ["still", needed === 1 ? "One more badge to go" : needed + " more badges to go", ""];
}

function claimButton(stack) {
  const button = element("button", "button", "Get the credential");
  button.setAttribute("type", "button");
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      await askSigned("/api/v1/stacks/" + encodeURIComponent(stack.id) + "/awards", { method: "POST" });
      showStacks(await read());
      heading.focus();
    } catch (error) {
      showProblem(problem, error);
      button.disabled = false;
      problem.scrollIntoView({ block: "center" });
    }
  });
  return button;
}

function partView(part, stack) {
  const box = element("section", "");
  const head = element("h3", "");
  const everything = part.held.length + part.missing.length;
  const words = part.asked === everything ? "All of these" : "Any " + part.asked + " of these";
  head.append(part.category === null ? words : inLanguage(element("span", "", part.category), stack), " ");
  const held = Math.min(part.held.length, part.asked);
  head.append(element("span", part.needed === 0 ? "tag tag-pass" : "tag", held + " of " + part.asked));
  box.append(head);
  const list = element("ul", "checks");
  for (const item of part.held) list.append(heldView(item, stack));
  for (const item of part.missing) list.append(missingView(item, part, stack));
  box.append(list);
  return box;
}

function heldView(item, stack) {
  const says = item.valid_until === null ? [] : ["Until " + dayInWords(item.valid_until) + "."];
  return line("good", "✓", item, stack, "/credentials/" + encodeURIComponent(item.award_id), "Counts", says);
}

function missingView(item, part, stack) {
  const why = own(UNCOUNTED, item.uncounted_state);
  if (why !== undefined) {
    if (item.uncounted_state === "pending_key") return line("still", "○", item, stack, item.path, "Almost there", [why]);
    const row = line("warn", "!", item, stack, item.path, "Does not count now", [why]);
    row.lastElementChild.append(" ", linkTo("/credentials/" + encodeURIComponent(item.uncounted_award_id), "See that badge"));
    return row;
  }
  if (part.needed === 0) return line("still", "–", item, stack, item.path, "Not needed", []);
  return line("still", "○", item, stack, item.path, part.needed === part.missing.length ? "Missing" : "Would count", []);
}

function line(tone, mark, item, stack, path, outcome, says) {
  const row = element("li", "tone-" + tone);
  const sign = element("span", "mark", mark);
  sign.setAttribute("aria-hidden", "true");
  const text = element("div", "");
  const name = inLanguage(linkTo(path, item.title), stack);
  name.className = "check-name";
  text.append(name, " ", element("span", "check-outcome", outcome));
  row.append(sign, text);
  for (const sentence of says) row.append(element("p", "", sentence));
  return row;
}

function inLanguage(node, stack) {
  if (/^[A-Za-z0-9-]{2,35}$/.test(stack.language)) node.setAttribute("lang", stack.language);
  return node;
}

function sum(items, count) {
  return items.reduce((total, item) => total + count(item), 0);
}
