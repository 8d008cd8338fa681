// Follows what goes on, takes files that are dropped, keeps from approving what is being
// corrected, and copies links. All else works without it.
"use strict";

for (const only of document.querySelectorAll("[data-script]")) only.hidden = false;

const live = document.getElementById("live");
if (live) {
  const news = new EventSource(live.dataset.follow);
  news.addEventListener("live", (event) => { live.innerHTML = event.data; });
  news.addEventListener("again", () => {
    if (location.pathname !== "/") return; // what somebody has chosen or asked for there must stay; the browser follows on
    news.close();
    location.replace(location.pathname + location.search); // to see what became of it
  });
  addEventListener("pagehide", () => news.close());
}

const input = document.querySelector("input[data-drop]");
if (input) {
  const form = input.form;
  const over = (on) => (event) => { event.preventDefault(); form.classList.toggle("over", on); };
  form.addEventListener("dragover", over(true));
  form.addEventListener("dragleave", over(false));
  form.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length === 0) return;
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}

const correct = document.getElementById("correct");
const approve = document.getElementById("approve");
if (correct && approve) {
  correct.addEventListener("input", () => { // what is approved is what the file says, not what is being typed
    approve.disabled = true;
    document.getElementById("unsaved").hidden = false;
  });
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
  });
}
