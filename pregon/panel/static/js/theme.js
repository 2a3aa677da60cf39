// Runs before the page is painted: paints what the device prefers when the choice is «system», and keeps a new choice in the cookie.
"use strict";
(() => {
  const root = document.documentElement;
  const device = matchMedia("(prefers-color-scheme: dark)");

  function paint() {
    const choice = root.dataset.theme;
    root.dataset.bsTheme = choice === "system" ? (device.matches ? "dark" : "light") : choice;
  }

  function choose(choice) {
    root.dataset.theme = choice;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `pregon_theme=${choice}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    for (const button of document.querySelectorAll("[data-theme-form] [name=theme]"))
      button.setAttribute("aria-pressed", String(button.value === choice));
    paint();
  }

  paint();
  device.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("[data-theme-form]")) form.hidden = false;
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-theme-form]") || event.submitter?.name !== "theme") return;
    event.preventDefault();
    choose(event.submitter.value);
  });
})();
