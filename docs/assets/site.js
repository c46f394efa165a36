// What scrolls sideways can be reached with the keyboard: tables and code.
const reachable = () => document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code, .picture").forEach((part) => {
  if (part.scrollWidth > part.clientWidth) part.tabIndex = 0
  else part.removeAttribute("tabindex")
})
addEventListener("load", reachable)
addEventListener("resize", reachable)
// The copy buttons' own navigation landmarks, one for each block of code, are none.
new MutationObserver(() => document.querySelectorAll(".md-code__nav:not([role])").forEach((part) => { part.setAttribute("role", "none") }))
  .observe(document.documentElement, { childList: true, subtree: true })
// Links to the one page that the reference was: to the page of the section.
const moved = () => {
  const name = location.hash.slice(1)
  if (/\/reference\.html$/.test(location.pathname) && name.includes(".") && !document.getElementById(name))
    location.replace(`reference/${name.split(".")[0]}.html${location.hash}`)
}
moved()
addEventListener("hashchange", moved)
