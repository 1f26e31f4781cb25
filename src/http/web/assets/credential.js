// Copies the address of a badge. Without this the address stands on the page all the same.
"use strict";

(() => {
  const button = document.getElementById("copy-address");
  const done = document.getElementById("copy-done");
  const address = document.getElementById("share-address");
  if (button === null || !navigator.clipboard) {
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address.textContent.trim());
      done.textContent = "Copied.";
    } catch {
      done.textContent = "This browser does not allow it; please copy the address by hand.";
    }
  });
})();
