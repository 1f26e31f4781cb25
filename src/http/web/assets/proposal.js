// Sends a proposal. Everything that comes back is shown as text, never as markup.
import { Refusal, post, showProblem } from "./page.js";

const form = document.getElementById("proposal-form");
// A version that takes no proposals has no form.
if (form !== null) offer();

function offer() {
  const fields = document.getElementById("proposal-fields");
  const text = document.getElementById("proposal-text");
  const name = document.getElementById("credit-name");
  const email = document.getElementById("proposal-email");
  const problem = document.getElementById("proposal-problem");
  fields.disabled = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const length = Array.from(text.value.trim()).length;
    if (length < 10 || length > 4000) {
      showProblem(problem, new Refusal("Please say a little more", ["A proposal has 10 to 4,000 characters; this one has " + length + "."]));
      text.focus();
      return;
    }
    const body = { text: text.value };
    if (name.value.trim() !== "") body.credit_name = name.value;
    if (email.value.trim() !== "") body.email = email.value;
    fields.disabled = true;
    try {
      await post(form.action, body);
      form.hidden = true;
      document.getElementById("proposal-done").hidden = false;
      document.getElementById("proposal-done-heading").focus();
      return;
    } catch (error) {
      showProblem(problem, error);
    }
    fields.disabled = false;
  });
}
