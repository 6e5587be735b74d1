// What both pages share: drawing the server's HTML over what is shown, actions by `data-do`, small messages.

const byScope = { any: {} };

/** Actions of a scope: name → (data, element, event). A form runs its action when it is submitted. */
export function on(scope, actions) {
  byScope[scope] = { ...byScope[scope], ...actions };
}

function run(element, event) {
  const scope = element.closest("[data-scope]")?.dataset.scope ?? "any";
  const action = byScope[scope]?.[element.dataset.do] ?? byScope.any[element.dataset.do];
  if (!action || element.disabled) return;
  event.preventDefault();
  action(element.dataset, element, event);
}

document.addEventListener("click", (event) => {
  const element = event.target.closest?.("[data-do]");
  if (!element || element.tagName === "FORM") return;
  if (element.tagName === "A" && (event.ctrlKey || event.metaKey || event.shiftKey || event.button)) return;
  run(element, event);
});
document.addEventListener("submit", (event) => {
  if (event.target.dataset.do) run(event.target, event);
});
// A menu that stands open closes when the person goes elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.route[open]")) if (!menu.contains(event.target)) menu.open = false;
});

/** Component `name`, once Gradio has made it: {element, server, upload}. */
export function mounted(name) {
  return new Promise((found) => {
    const look = () => {
      const mount = window.afina.mounts.find(([known]) => known === name);
      if (mount) found(mount[1]);
      else addEventListener("afina:mount", look, { once: true });
    };
    look();
  });
}

/** Draw `html` over the children of `target`; what is equal stays, with its focus, selection and scroll position. */
export function morph(target, html) {
  const next = document.createElement("template");
  next.innerHTML = html;
  children(target, next.content);
}

function children(old, next) {
  const keyed = new Map([...old.children].filter((c) => c.dataset.key).map((c) => [c.dataset.key, c]));
  let at = old.firstChild;
  for (const want of [...next.childNodes]) {
    const key = want.dataset?.key;
    const have = key ? keyed.get(key) : at?.dataset?.key ? null : at;
    if (have && have.nodeName === want.nodeName) {
      if (have === at) at = at.nextSibling;
      else old.insertBefore(have, at);
      node(have, want);
    } else old.insertBefore(want, at);
  }
  while (at) {
    const following = at.nextSibling;
    at.remove();
    at = following;
  }
}

function node(have, want) {
  if (have.nodeType !== Node.ELEMENT_NODE) {
    if (have.data !== want.data) have.data = want.data;
    return;
  }
  if (have.isEqualNode(want) || have.hasAttribute("data-local-held")) return; // held: written in, or streamed into
  for (const { name } of [...have.attributes]) {
    const mine = name.startsWith("data-local") || (name === "open" && have.hasAttribute("data-keep"));
    if (!mine && !want.hasAttribute(name)) have.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    const theirs = name === "open" && have.hasAttribute("data-keep"); // the person opened or closed it
    if (!theirs && have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  if (have !== document.activeElement || !["INPUT", "TEXTAREA"].includes(have.nodeName)) children(have, want);
}

export function draw(root, regions = {}) {
  for (const [name, html] of Object.entries(regions)) {
    const region = root.querySelector(`[data-region="${name}"]`);
    if (region) morph(region, html);
  }
}

/** A sentence at the edge of the page; `action` [label, function] makes it a question. Gone after `seconds`. */
export function toast(text, { kind = "calm", action = null, seconds = 5 } = {}) {
  let tray = document.querySelector(".toasts");
  if (!tray) {
    tray = Object.assign(document.createElement("div"), { className: "toasts" });
    tray.setAttribute("role", "status");
    document.body.append(tray);
  }
  for (const old of tray.children) if (old.textContent.startsWith(text)) old.remove();
  const note = Object.assign(document.createElement("div"), { className: `toast ${kind}` });
  note.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (action) {
    const button = Object.assign(document.createElement("button"), { textContent: action[0], className: "button" });
    button.addEventListener("click", () => { note.remove(); action[1](); });
    note.append(button);
  }
  tray.append(note);
  setTimeout(() => note.remove(), seconds * 1000);
}

/** Ask before something is lost. */
export function confirmed(title, text, yes, no) {
  return new Promise((answer) => {
    const dialog = Object.assign(document.createElement("dialog"), { className: "dialog" });
    const heading = Object.assign(document.createElement("h2"), { textContent: title });
    const words = Object.assign(document.createElement("p"), { textContent: text });
    const row = Object.assign(document.createElement("div"), { className: "dialog-row" });
    const cancel = Object.assign(document.createElement("button"), { textContent: no, className: "button" });
    const go = Object.assign(document.createElement("button"), { textContent: yes, className: "button danger" });
    row.append(cancel, go);
    dialog.append(heading, words, row);
    dialog.addEventListener("close", () => { answer(dialog.returnValue === "yes"); dialog.remove(); });
    cancel.addEventListener("click", () => dialog.close(""));
    go.addEventListener("click", () => dialog.close("yes"));
    document.body.append(dialog);
    dialog.showModal();
  });
}

export async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no clipboard here (not a secure address): the old way
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "off-screen" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(said, { seconds: 2 });
}

/** The files of a drop, of a paste or of a button, handed to `take` when `here()`. */
export function dropping(zone, here, take) {
  const holds = (event) => here() && [...(event.dataTransfer?.types ?? [])].includes("Files");
  let depth = 0;
  const shown = (yes) => { if (zone) zone.hidden = !yes; };
  addEventListener("dragenter", (event) => { if (holds(event)) { event.preventDefault(); depth += 1; shown(true); } });
  addEventListener("dragover", (event) => { if (holds(event)) event.preventDefault(); });
  addEventListener("dragleave", (event) => { if (holds(event) && --depth <= 0) { depth = 0; shown(false); } });
  addEventListener("drop", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    depth = 0;
    shown(false);
    take([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length && here()) { event.preventDefault(); take(files); }
  });
}
