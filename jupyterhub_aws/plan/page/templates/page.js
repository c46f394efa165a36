"use strict";
(() => {
  const all = [...document.querySelectorAll("details.res")];
  const filter = document.getElementById("filter");
  const found = document.getElementById("found");
  const expand = document.getElementById("expand");
  const components = all.filter((item) => item.classList.contains("component"));

  // A link into a closed part opens everything around its target.
  const reveal = () => {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target) return;
    if (target.hidden || target.closest("[hidden]")) { filter.value = ""; narrow(); }
    for (let at = target; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
    target.scrollIntoView();
  };

  const narrow = () => {
    const words = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const hits = new Set(all.filter((item) => words.every((word) => item.dataset.search.includes(word))));
    for (const item of all) {
      const below = [...item.querySelectorAll("details.res")].some((inner) => hits.has(inner));
      item.hidden = words.length > 0 && !hits.has(item) && !below;
      if (item.classList.contains("component")) item.open = words.length > 0 && below;
    }
    found.textContent = words.length ? `${hits.size} of ${all.length} resources` : `${all.length} resources`;
    label();
  };

  const label = () => { expand.textContent = components.every((item) => item.open) ? "Close all parts" : "Open all parts"; };

  expand.addEventListener("click", () => {
    const open = !components.every((item) => item.open);
    for (const item of components) item.open = open;
    label();
  });
  filter.addEventListener("input", narrow);
  window.addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#"]');
    if (link && link.getAttribute("href") === location.hash) reveal();
  });

  // Paper cannot be opened: print everything, and put it back afterwards.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const item of closed) item.open = true;
  });
  window.addEventListener("afterprint", () => { for (const item of closed) item.open = false; closed = []; });
  reveal();
})();
