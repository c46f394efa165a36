"use strict";
(() => {
  // A button beside each command. Where the clipboard is closed to the page, the words are selected.
  const said = document.querySelector(".copied");
  const select = (code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  const say = (words) => { said.textContent = words; setTimeout(() => { said.textContent = ""; }, 2500); };
  for (const code of document.querySelectorAll("code.cmd, pre.cmd")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "copy";
    button.setAttribute("aria-label", `copy: ${code.textContent.trim().slice(0, 80)}`);
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(code.textContent.trim()); say("Copied."); }
      catch { select(code); say("Selected: copy it with the keyboard."); }
    });
    code.after(button);
  }

  // Paper cannot be opened: print everything, and put it back afterwards.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const item of closed) item.open = true;
  });
  window.addEventListener("afterprint", () => { for (const item of closed) item.open = false; closed = []; });
})();
