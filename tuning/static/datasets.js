// The datasets page. Where the person is, is the page's address; the server draws what is there. What is done is handed
// to the server with the address; what takes its time goes on there, and is seen here as it goes.

import { draw, dropping } from "/afina/static/knowledge/runtime.js";
import { choosing } from "./datasets_choosing.js";
import { saved } from "./datasets_saving.js";

const FILTERS = ["status", "kind", "origin", "how", "language", "tag", "finding", "search", "unranked", "batch"];
const NUMBERS = ["dataset", "page", "version", "against"];
const SILENT = { cancel: 1, dismiss: 1, again: 1, estimate: 1 }; // what changes no example
const TYPED = 350; // milliseconds after the last key

export function page(host) {
  const { root, words } = host;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const shown = () => document.documentElement.dataset.view === host.name;
  const naming = () => part("naming");

  // ── where ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The address as the server takes it. */
  function here() {
    const at = {};
    const only = {};
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (NUMBERS.includes(name)) at[name] = Math.trunc(Math.abs(Number(value))) || (name === "page" ? 1 : 0);
      else if (["tab", "format", "code"].includes(name)) at[name] = value;
      else if (name === "unranked") only[name] = true;
      else if (name === "batch") only[name] = Number(value);
      else if (FILTERS.includes(name) && value) only[name] = value;
    }
    return Object.keys(only).length ? { ...at, only } : at;
  }

  /** To another place: `changes` of this one, or, with `fresh`, only they. */
  function to(changes, { fresh = false, push = true } = {}) {
    const query = new URLSearchParams(fresh ? "" : location.search);
    query.set("view", host.name);
    for (const [name, value] of Object.entries(changes)) {
      if (value === "" || value === 0 || value === null || value === undefined) query.delete(name);
      else query.set(name, value);
    }
    history[push ? "pushState" : "replaceState"]({}, "", `/?${query}`);
    return host.refresh();
  }

  const filter = (changes, options) => to({ page: "", ...changes }, options);
  host.state = () => ({ at: here() });

  // ── what is done ─────────────────────────────────────────────────────────────────────────────────────────────────

  async function act(payload) {
    const answer = await host.call({ at: here(), ...payload });
    if (answer.go) {
      choice.clear();
      await to(answer.go, { fresh: true });
      root.scrollTop = 0;
    }
    if (payload.do in SILENT) return answer;
    for (const old of document.querySelectorAll(".toast[data-undoes]")) old.remove(); // it would take back something else
    if (answer.undo) {
      host.toast(answer.undo.said, { seconds: 10, action: [words.undo, () => act(answer.undo.do)] });
      document.querySelector(".toasts").lastElementChild.dataset.undoes = "";
    }
    return answer;
  }

  const choice = choosing(host, act);
  const data = (element) => Object.fromEntries(Object.entries(element.dataset).filter(([name]) => name !== "do"));

  /** A form's fields by their names; what is empty is left out. */
  function read(form) {
    const given = {};
    for (const element of form.querySelectorAll("[data-field]")) {
      const { field, kind = "" } = element.dataset;
      if (element.type === "radio" && !element.checked) continue;
      if (kind === "numbers") given[field] = [...element.querySelectorAll("input:checked")].map((box) => Number(box.value));
      else if (kind === "yes") given[field] = element.checked;
      else if (element.value.trim() === "") continue;
      else given[field] = kind === "number" ? Number(element.value) : element.value.trim();
    }
    return given;
  }

  // ── a dataset's name ─────────────────────────────────────────────────────────────────────────────────────────────

  function name(given) {
    const dialog = naming();
    dialog.querySelector("h2").textContent = given.dataset ? words.datasets_edit : words.datasets_new;
    dialog.dataset.of = given.dataset ?? 0;
    for (const field of ["name", "note", "licence"]) dialog.querySelector(`[data-field="${field}"]`).value = given[field] ?? "";
    told("");
    dialog.showModal();
  }

  function told(problem) {
    const place = naming().querySelector("[data-problem]");
    place.hidden = !problem;
    place.textContent = problem;
  }

  async function keep() {
    const given = read(naming());
    const answer = await act({ do: "keep", dataset: Number(naming().dataset.of), name: "", ...given });
    if (answer.problem) {
      told(answer.problem);
      naming().querySelector('[data-field="name"]').focus();
    } else if (answer.saved) naming().close();
  }

  // ── chats and files ──────────────────────────────────────────────────────────────────────────────────────────────

  function chats() {
    const { edited, ...given } = read(part("chats"));
    return edited ? { ...given, edited } : given;
  }

  let counting = 0;
  function count(wait = TYPED) {
    clearTimeout(counting);
    counting = setTimeout(() => part("chats") && counted({ do: "matching", chats: chats() }), wait);
  }

  // A count takes a moment, and what was drawn meanwhile elsewhere on the page does not make it old: a newer count does.
  let counts = 0;
  async function counted(payload) {
    const mine = ++counts;
    const { regions } = await host.call({ at: here(), ...payload });
    if (mine === counts) draw(root, regions);
  }

  async function upload(file, payload) {
    const note = Object.assign(document.createElement("div"), { className: "job" });
    const text = Object.assign(document.createElement("div"), { className: "card-words" });
    const said = words.datasets_uploading.replace("{name}", file.name);
    text.append(Object.assign(document.createElement("strong"), { textContent: said }), document.createElement("progress"));
    text.lastElementChild.setAttribute("aria-label", said);
    note.append(text);
    part("uploads").append(note);
    let path;
    try {
      ({ path } = await host.upload(file));
    } catch {
      host.toast(words.datasets_upload_failed.replace("{name}", file.name), { kind: "bad", seconds: 12 });
      return;
    } finally {
      note.remove();
    }
    await act({ path, name: file.name, ...payload });
  }

  async function take(files) {
    if (!here().dataset) {
      for (const file of files) await upload(file, { do: "take" });
      return;
    }
    const choices = part("import") ? read(part("import")) : {};
    for (const file of files) await upload(file, { do: "import", ...choices });
  }

  // What is counted is asked for when it is there to be seen; the tab that is open can be seen on a phone too.
  let tab = "";
  function ask() {
    const liked = root.querySelector('[data-region="liked"]:not([data-local-asked])');
    const matching = root.querySelector('[data-region="matching"]:not([data-local-asked])');
    liked?.setAttribute("data-local-asked", "");
    matching?.setAttribute("data-local-asked", "");
    if (liked) counted({ do: "liked" });
    if (matching) count(0);
  }
  new MutationObserver(() => {
    const current = root.querySelector(".tabs [aria-current]");
    if (current && current.href !== tab) current.scrollIntoView({ block: "nearest", inline: "nearest" });
    tab = current?.href ?? "";
    ask();
    choice.shown();
  }).observe(root, { childList: true, subtree: true });
  new MutationObserver(() => { // whoever comes back from the chat may have liked something there
    for (const counted of root.querySelectorAll("[data-local-asked]")) counted.removeAttribute("data-local-asked");
    if (!root.hidden) ask();
  }).observe(root, { attributeFilter: ["hidden"] });

  // ── to the desk ──────────────────────────────────────────────────────────────────────────────────────────────────

  function desk(given) {
    const { dataset, only = {} } = here();
    const filtered = given.unranked ? { unranked: true } : given.status ? { status: given.status } : given.finding ? { finding: given.finding } : only;
    sessionStorage["afina-desk"] = JSON.stringify({ dataset, example: Number(given.example) || null, filter: filtered });
    host.view("desk");
  }

  host.on({
    to: (_, element) => {
      choice.clear();
      const query = new URL(element.href).searchParams;
      return to(Object.fromEntries(query), { fresh: true });
    },
    "to-tab": (given) => to({ dataset: here().dataset, tab: given.tab }, { fresh: true }),
    "to-export": (given) => to({ dataset: here().dataset, tab: "versions", version: given.version }, { fresh: true }),
    view: (given) => host.view(given.view),
    naming: (_, element) => name(data(element)),
    close: () => naming().close(),
    keep,
    remove: (given) => act({ do: "remove", dataset: Number(given.dataset) }),
    "begin-liked": () => act({ do: "begin-liked" }),
    "begin-sample": (given) => act({ do: "begin-sample", sample: given.sample }),
    sample: (given) => act({ do: "sample", sample: given.sample }),
    gather: () => act({ do: "gather", chats: chats() }),
    pick: () => part("file").click(),
    "pick-folder": () => part("folder").click(),
    "undo-import": (given) => act({ do: "undo-import", number: Number(given.number) }),
    documents: () => act({ do: "documents", documents: read(part("documents")).documents }),
    propose: () => act({ do: "propose", ...read(part("documents")) }),
    distil: () => act({ do: "distil", ...read(part("teacher")) }),
    look: () => act({ do: "look" }),
    "approve-all": () => act({ do: "approve-all" }),
    freeze: () => act({ do: "freeze", ...(part("freeze") ? sides(read(part("freeze"))) : {}) }),
    again: () => act({ do: "again" }),
    estimate: () => act({ do: "estimate", ...read(part("estimate")) }),
    download: (given) => saved(host, here, given),
    cancel: (given) => act({ do: "cancel", job: Number(given.job) }),
    dismiss: (given) => act({ do: "dismiss", job: Number(given.job) }),
    undo: () => act({ do: "undo" }),
    filter: (given) => filter({ [given.name]: given.value }),
    desk,
    mend: (given) => act({ do: "mend", code: given.code ?? "", example: Number(given.example) || 0 }),
    include: (given) => act({ do: "include", code: given.code }),
    "drop-found": (given) => act({ do: "drop-found", code: given.code }),
    none: () => {},
    ...choice.actions,
  });
  const sides = ({ share, ...given }) => ({ ...given, ...(share === undefined ? {} : { share: Number(share) }) });

  // ── what is changed by hand ──────────────────────────────────────────────────────────────────────────────────────

  const FIRST = { conversation: "liked", preference: "", ranking: "", score: "" }; // ratings each kind begins with
  root.addEventListener("change", async (event) => {
    const { target } = event;
    if (target === part("file")) { await take([...target.files]); target.value = ""; }
    else if (target === part("folder")) { for (const file of [...target.files]) await upload(file, { do: "take" }); target.value = ""; }
    else if (target === part("against")) to({ against: target.value });
    else if (target.closest('[data-part="formats"]')) to({ format: target.value });
    else if (target.closest('[data-part="filters"]') && target.tagName === "SELECT") filter({ [target.dataset.field]: target.value });
    else if (target.closest('[data-part="chats"]')) {
      if (target.name === "kind") part("chats").querySelector('[data-field="rating"]').value = FIRST[target.value];
      count(0);
    }
  });

  let typing = 0;
  root.addEventListener("input", ({ target }) => {
    if (target.closest('[data-part="chats"]') && target.matches("input:not([type=radio], [type=checkbox])")) count();
    if (target.closest('[data-part="filters"]') && target.dataset.field === "search") {
      clearTimeout(typing);
      typing = setTimeout(() => filter({ search: target.value.trim() }, { push: false }), TYPED);
    }
  });
  dropping(null, () => shown() && !naming().open, take);
}
