// The card to share: the browser's own print dialogue also saves a PDF. Without a script the button stays hidden.
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
