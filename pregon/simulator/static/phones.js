// Keeps the page live and spares the reload after an act. Everything works without it.
"use strict";
const EVERY = 1200; // milliseconds; nothing is asked while the page is hidden
const seen = new Map(); // id → the server's last HTML, before the hours became local
const format = {
  short: new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  long: new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
};

function tellHours(root) {
  for (const time of root.querySelectorAll("time[data-hour]"))
    time.textContent = format[time.dataset.hour].format(new Date(time.dateTime));
}

function toBottom(part) {
  if ("bottom" in part.dataset) part.scrollTop = part.scrollHeight;
}

function swap(part, html) {
  if (seen.get(part.id) === html) return;
  const wasAtBottom = part.scrollHeight - part.scrollTop - part.clientHeight < 40;
  const held = part.contains(document.activeElement) ? document.activeElement : null;
  const place = held && [...part.querySelectorAll("a, button, [tabindex]")].indexOf(held);
  seen.set(part.id, html);
  part.innerHTML = html;
  tellHours(part);
  if (held) part.querySelectorAll("a, button, [tabindex]")[place]?.focus({ preventScroll: true });
  if (wasAtBottom) toBottom(part);
}

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(part.id);
    if (fresh) swap(part, fresh.innerHTML);
  }
}

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.ok) show(await response.text());
  } catch {
    // the simulator is restarting: the next round finds it again
  }
}

async function send(form, submitter) {
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, submitter)) });
  if (!response.ok) return form.submit();
  show(await response.text());
  const box = form.querySelector("input.box");
  if (box) box.value = "";
  const chat = document.getElementById("chat");
  if (chat) toBottom(chat);
}

document.addEventListener("submit", (event) => {
  if (!("quiet" in event.target.dataset)) return;
  event.preventDefault();
  send(event.target, event.submitter).catch(() => event.target.submit());
});

for (const part of document.querySelectorAll("[data-live]")) {
  seen.set(part.id, part.innerHTML);
  toBottom(part);
}
tellHours(document);
document.querySelector("[data-now]").hidden = false;
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY);
