"use strict";
// Buttons that copy a text: <button data-copy="ID of the element with the text">.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const say = (text) => {
    button.textContent = text;
    setTimeout(() => { button.textContent = button.dataset.label; }, 1500);
  };
  button.dataset.label = button.dataset.label || button.textContent;
  // Pages opened from a file may have no clipboard: then the selection is copied, or stays selected for Ctrl+C.
  const bySelection = () => {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    say(document.execCommand("copy") ? "Copied" : "Press Ctrl+C");
  };
  if (navigator.clipboard) navigator.clipboard.writeText(source.textContent).then(() => say("Copied"), bySelection);
  else bySelection();
});
// One player at a time.
document.addEventListener("play", (event) => {
  for (const player of document.querySelectorAll("audio")) if (player !== event.target) player.pause();
}, true);
