/* Everything works without this file. It only spares annoyances: sending a form twice, copying by hand, a button more. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // A form whose answer is a download stays on the page, and must be able to send again.
  setTimeout(() => delete form.dataset.sent, 3000);
});
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.querySelector("[role=status]").textContent = button.dataset.copied;
  });
}
// A device that makes no passkey, or was told not to, says so to the script alone.
document.addEventListener("allauth.error", (event) => {
  const words = document.querySelector("[data-passkey-failed]");
  if (!words) return;
  event.preventDefault();
  words.hidden = false;
});
// An answer that another site waits for goes on by itself; without this file, by its button.
document.querySelector("form[data-forward]")?.requestSubmit();
