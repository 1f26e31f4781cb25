// What the pages show of a piece of work: what its items are called, and the feedback on it.
import { element } from "./page.js";

// The lowest level of a prompt that passes; criteria name their own.
const PROMPT_PASS_LEVEL = 1;

// What the readers say, criterion by criterion.
export function feedbackView(feedback, definition) {
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

// Everything in a definition that a remark can be about: prompts, criteria and evidence.
export function itemsOf(definition) {
  const { criteria, prompts } = scaleOf(definition);
  const submission = definition.submission || {};
  const evidence = (submission.part2 && submission.part2.evidence) || [];
  const items = (list, kind) => list.map((item) => ({ id: item.id, title: String(item.title), kind: kind }));
  return [...items(prompts, "Answer"), ...items(evidence, "Evidence"), ...items(criteria, "Criterion")];
}

export function inLanguage(node, definition) {
  if (/^[A-Za-z0-9-]{2,35}$/.test(definition.language)) node.setAttribute("lang", definition.language);
  return node;
}
