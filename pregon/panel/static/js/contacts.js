// "Elegir a las 412": everybody of the sentence, also on other pages. The boxes of this page follow, and the bar says the figure.
"use strict";

function showEveryone(box) {
  for (const one of box.form.querySelectorAll("[data-pick]")) one.checked = box.checked;
  box.form.querySelector("[data-pick]")?.dispatchEvent(new Event("change", { bubbles: true }));
  const bar = box.form.querySelector("[data-bulk]");
  if (box.checked) bar.querySelector("[data-bulk-count]").textContent = bar.dataset.many.replace("#", box.dataset.everyone);
}

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches("[data-everyone]")) showEveryone(target);
  else if (event.isTrusted && target.matches("[data-pick], [data-pick-all]")) {
    const everyone = target.form.querySelector("[data-everyone]");
    if (everyone) everyone.checked = false;
  }
});
