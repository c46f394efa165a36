(() => {
  const all = [...document.querySelectorAll("details.res")];
  const filter = document.getElementById("filter");
  const found = document.getElementById("found");
  const expand = document.getElementById("expand");
  const components = all.filter((item) => item.classList.contains("component"));
  let words_of = null;

  // Name, kind and line of a resource, and its type's token: the last one in its URN.
  const searched = () => words_of ??= new Map(all.map((item) => {
    const token = types(item);
    return [item, `${item.firstElementChild.textContent} ${token.slice(token.lastIndexOf("$") + 1)}`.toLowerCase()];
  }));

  // The first line of a resource is its type, all types around it, or its URN.
  const inputs = (item) => item.querySelector(":scope > pre").firstChild;
  const identity = (item) => inputs(item).data.split("\n", 1)[0];
  const types = (item) => {
    const said = identity(item), around = item.parentElement.closest(".res");
    return said.startsWith("urn:") ? said.split("::")[2] : around ? `${types(around)}$${said}` : said;
  };

  // With a script, a resource that opens says its URN in full: one searches and copies it.
  const start = document.getElementById("urns").textContent;
  document.addEventListener("toggle", ({target}) => {
    if (!target.open || !target.matches(".res") || identity(target).startsWith("urn:")) return;
    const name = target.querySelector("b").textContent;
    inputs(target).replaceData(0, identity(target).length, `${start}${types(target)}::${name}`);
  }, true);

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
    const hits = new Set(words.length ? all.filter((item) => words.every((word) => searched().get(item).includes(word))) : all);
    const around = new Set();
    if (words.length) for (const hit of hits) for (let at = hit.parentElement; at; at = at.parentElement) around.add(at);
    for (const item of all) {
      const below = around.has(item);
      item.hidden = words.length > 0 && !hits.has(item) && !below;
      if (item.classList.contains("component")) item.open = below;
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
  reveal();
})();
