// Keys. The list a person sees is in the page's shell (`?`).

import { on } from "/afina/static/knowledge/runtime.js";
import { viewer } from "/afina/static/knowledge/viewer.js";

const GO = 1500; // milliseconds to press the second of two keys

export function shortcuts(page, places) {
  const goes = { d: "documents", ...Object.fromEntries(places.map(({ key, name }) => [key, name])) }; // "g", then one of these
  let going = -GO; // when "g" was pressed
  const help = page.root.querySelector("#afina-help");
  const writing = (target) => target.matches?.('input, textarea, select, [contenteditable="true"]');

  function citation(step) {
    const next = viewer.element.querySelector(`.citation-bar [data-step="${step > 0 ? "right" : "left"}"]`);
    if (viewer.open() && next) next.click();
    else [...page.root.querySelectorAll("article.answer")].reverse().find((a) => a.querySelector(".cite"))?.querySelector(".cite").click();
  }

  function turn(step) {
    const [back, forth] = viewer.element.querySelectorAll('.viewer-tools [data-do="page"]');
    (step > 0 ? forth : back)?.click();
  }

  function escape() {
    if (page.root.dataset.writing && (page.writing || page.waiting)) page.call({ do: "stop", message: page.writing ?? 0 });
    else if (viewer.open()) viewer.close();
    else if (innerWidth < 760) page.toggleSidebar(false);
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    const act = (action) => { event.preventDefault(); action(); };
    if (control && event.shiftKey && key === "o") act(() => page.go(null));
    else if (control && event.shiftKey && key === "d") act(() => page.view("documents"));
    else if (control && key === "k") act(() => { page.toggleSidebar(true); page.root.querySelector('[name="chat-search"]').focus(); });
    else if (control && key === "b") act(() => page.toggleSidebar());
    else if (event.altKey && key === "arrowdown") act(() => citation(1));
    else if (event.altKey && key === "arrowup") act(() => citation(-1));
    else if (key === "escape") act(escape);
    else if (control || event.altKey || writing(event.target)) return;
    else if (performance.now() - going < GO && goes[key] in page.pages) act(() => { going = -GO; page.view(goes[key]); });
    else if (key === "g") going = performance.now();
    else if (key === "/") act(() => { page.view("chat"); page.composer.focus(); });
    else if (key === "?") act(() => help.showModal());
    else if (viewer.open() && key === "arrowright") act(() => turn(1));
    else if (viewer.open() && key === "arrowleft") act(() => turn(-1));
  });
  on("chat", { help: () => help.showModal(), "dialog-close": () => help.close() });
  help.addEventListener("click", (event) => { if (event.target === help) help.close(); });
}
