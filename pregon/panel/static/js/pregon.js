// What a script adds to pages that already work without one. Each part finds its elements by a data attribute.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const figure = (n) => n.toLocaleString(document.documentElement.lang);

/* Menus and sheets: <details class="p-menu">. They close with Escape, with a press outside, and when the focus leaves. */

function closeMenus(except) {
  for (const menu of all("details.p-menu[open]")) if (menu !== except) menu.open = false;
}

document.addEventListener("click", (event) => closeMenus(event.target.closest("details.p-menu")));
document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.p-menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.p-menu[open], details.p-confirm[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

/* Counters: «34 de 60», counted in characters as a person sees them. */

function count(input) {
  const counter = document.getElementById(input.dataset.counter);
  if (!counter) return;
  const used = [...input.value].length;
  counter.textContent = counter.dataset.of.replace("#", figure(used)).replace("@", figure(input.maxLength));
}

document.addEventListener("input", (event) => event.target.dataset?.counter && count(event.target));

/* The tools of a message: marks around the selection, variables at the caret. */

function replaceSelection(area, before, after = "") {
  const { selectionStart: start, selectionEnd: end, value } = area;
  area.setRangeText(before + value.slice(start, end) + after, start, end, "end");
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const tool = event.target.closest("[data-wrap], [data-insert]");
  if (!tool) return;
  const area = document.getElementById(tool.closest("[data-tools]").dataset.tools);
  const { wrap, insert } = tool.dataset;
  if (wrap) replaceSelection(area, wrap, wrap);
  else replaceSelection(area, insert);
});

/* Picked rows and the bar of what one can do with them. */

function showPicked(form) {
  const boxes = all("[data-pick]", form);
  const picked = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest("tr")?.classList.toggle("on", box.checked);
  for (const head of all("[data-pick-all]", form)) {
    head.checked = boxes.length > 0 && picked.length === boxes.length;
    head.indeterminate = picked.length > 0 && !head.checked;
  }
  for (const bar of all("[data-bulk]", form)) {
    bar.hidden = picked.length === 0;
    const words = picked.length === 1 ? bar.dataset.one : bar.dataset.many;
    bar.querySelector("[data-bulk-count]").textContent = words.replace("#", figure(picked.length));
  }
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!box.matches("[data-pick], [data-pick-all]")) return;
  if ("pickAll" in box.dataset) for (const one of all("[data-pick]", box.form)) one.checked = box.checked;
  showPicked(box.form);
});

/* File fields: what was chosen, and a place to drop it. */

document.addEventListener("change", (event) => {
  const words = event.target.closest?.("[data-drop]")?.querySelector("[data-drop-words]");
  const file = event.target.files?.[0];
  if (words && file) words.textContent = `${file.name} · ${figure(Math.max(1, Math.round(file.size / 1024)))} kB`;
});

for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]])
  document.addEventListener(name, (event) => event.target.closest?.("[data-drop]")?.classList.toggle("over", over));

/* A double click sends a form once: an answer would reach its person twice. */

const sentAt = new WeakMap();
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.getAttribute("method") !== "post") return;
  if (event.timeStamp - (sentAt.get(event.target) ?? -Infinity) < 2000) event.preventDefault();
  else sentAt.set(event.target, event.timeStamp);
});

/* Drafts: what was typed stays in this browser until the server has taken it. Never passwords, files or hidden fields. */

const DRAFT = "pregon.draft:";
const SENT = "pregon.sent";
const ticks = (input) => ["checkbox", "radio"].includes(input.type);
const keepable = (input) => input.name && !["password", "file", "hidden", "submit", "button", "fieldset"].includes(input.type);
const fieldsOf = (form) => [...form.elements].filter(keepable);
const slotOf = (input) => `${input.name}=${ticks(input) ? input.value : ""}`;
const stateOf = (input) => (ticks(input) ? input.checked : input.value);

// What the server sent: a draft is only for the version that it was typed over.
function originalOf(input) {
  if (ticks(input)) return input.defaultChecked;
  if (input.options) return [...input.options].find((option) => option.defaultSelected)?.value ?? input.options[0]?.value;
  return input.defaultValue;
}

const read = (form, of) => JSON.stringify(fieldsOf(form).map((input) => [slotOf(input), of(input)]));
const forgetDraft = (key) => localStorage.removeItem(DRAFT + key);

function saveDraft(form) {
  try {
    localStorage.setItem(DRAFT + form.dataset.draft, JSON.stringify({ over: read(form, originalOf), typed: read(form, stateOf) }));
  } catch {
    // Full or forbidden storage: the form still works, it only forgets.
  }
}

function restoreDraft(form) {
  const draft = JSON.parse(localStorage.getItem(DRAFT + form.dataset.draft) ?? "null");
  if (!draft || draft.typed === draft.over || form.querySelector("[aria-invalid=true]")) return;
  if (draft.over !== read(form, originalOf)) return forgetDraft(form.dataset.draft);
  const typed = new Map(JSON.parse(draft.typed));
  for (const input of fieldsOf(form)) input[ticks(input) ? "checked" : "value"] = typed.get(slotOf(input));
  sayRestored(form);
  form.elements[0]?.dispatchEvent(new Event("input", { bubbles: true }));
}

function sayRestored(form) {
  const note = document.querySelector("[data-restored]").content.firstElementChild.cloneNode(true);
  note.querySelector("button").addEventListener("click", () => {
    form.reset();
    forgetDraft(form.dataset.draft);
    note.remove();
    prepare(form);
  });
  form.prepend(note);
}

function forgetDrafts() {
  for (const key of Object.keys(localStorage)) if (key.startsWith(DRAFT)) localStorage.removeItem(key);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-draft]");
  if (form) saveDraft(form);
});

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-forget-drafts]")) forgetDrafts();
  if (event.target.dataset.draft && !event.defaultPrevented) sessionStorage.setItem(SENT, event.target.dataset.draft);
});

// A form that was sent has been taken unless it came back with errors, or what came back is an error page or the sign-in.
function settleSentDraft() {
  const sent = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  const refused = document.querySelector("body.plain, [aria-invalid=true], .p-note.failed[role=alert]");
  if (sent && !refused) forgetDraft(sent);
}

/* Without internet: said, and sending waits. */

function showConnection() {
  const offline = !navigator.onLine;
  const note = document.querySelector("[data-offline]");
  note.textContent = offline ? note.dataset.words : "";
  for (const button of all("[data-online]")) button.disabled = offline;
}

addEventListener("online", showConnection);
addEventListener("offline", showConnection);

/* Live parts ask again only while someone looks. */

document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.matches("[data-live]")) event.preventDefault();
});

/* A page, or a part of one that htmx brought. */

function prepare(within) {
  for (const input of all("[data-counter]", within)) count(input);
  for (const bar of all("[data-tools]", within)) bar.hidden = false;
  for (const form of all("form:has([data-pick])", within)) showPicked(form);
  within.querySelector("[aria-invalid=true]")?.focus();
}

settleSentDraft();
for (const form of all("form[data-draft]")) restoreDraft(form);
prepare(document);
showConnection();
document.addEventListener("htmx:load", (event) => event.detail.elt !== document.body && prepare(event.detail.elt));
