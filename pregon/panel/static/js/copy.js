// A link that one copies with a press. Without a script the button stays hidden, and the link can be selected.
document.querySelectorAll("[data-copy]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    if (!navigator.clipboard) return; // over plain HTTP: it stays selected, to be copied by hand
    await navigator.clipboard.writeText(field.value);
    button.querySelector("span").textContent = button.dataset.done;
  });
});
