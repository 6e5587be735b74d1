// The tokenizer page: what is typed is counted a moment later; arrows walk through the tokens. Drawn by the server.

import { copy } from "/afina/static/knowledge/runtime.js";

const PAUSE = 180; // milliseconds without a key before the text is counted

export function page(host) {
  const { root, words } = host;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const value = (name) => part(name)?.value ?? "";
  const asks = {
    text: () => ({ text: value("text") }),
    compare: () => ({ english: value("english"), spanish: value("spanish") }),
    chat: () => ({ question: value("question"), answer: value("answer") }),
  };
  const of = { text: "text", english: "compare", spanish: "compare", question: "chat", answer: "chat" };
  const waiting = {}; // kind → timer
  const due = new Set(); // kinds that are to be asked
  let asking = false;

  /** One question at a time, each with what stands there when it is asked: a page draws its newest answer only. */
  async function ask(...kinds) {
    kinds.forEach((kind) => due.add(kind));
    if (asking || !value("model")) return;
    asking = true;
    for (const kind of due) { // what is added meanwhile is walked through too
      due.delete(kind);
      await host.call({ do: kind, model: value("model"), ...asks[kind]() });
      shown();
    }
    asking = false;
  }

  function soon(kind) {
    clearTimeout(waiting[kind]);
    waiting[kind] = setTimeout(() => ask(kind), PAUSE);
  }

  const all = () => ask(...Object.keys(asks));

  // ── one token ──────────────────────────────────────────────────────────────────────────────────────────────────

  function say(token) {
    const box = token.closest(".tokenizer-box");
    for (const old of box.querySelectorAll(".active")) {
      old.classList.remove("active");
      old.setAttribute("aria-selected", "false");
    }
    token.classList.add("active");
    token.setAttribute("aria-selected", "true");
    box.querySelector("[role=listbox]").setAttribute("aria-activedescendant", token.id);
    const { at, id, bytes } = token.dataset;
    const text = token.classList.contains("half") ? "" : token.textContent.replaceAll("\n", "").replaceAll(" ", "␣");
    const parts = [
      words.tokenizer_nth.replace("{n}", at),
      text,
      id ? words.tokenizer_numbered.replace("{id}", id) : words.tokenizer_unnumbered,
      bytes ? words.tokenizer_part.replace("{bytes}", bytes) : "",
      token.classList.contains("template") ? words.tokenizer_template : "",
      token.classList.contains("learn") ? words.tokenizer_learned : "",
    ];
    box.querySelector("[data-part=detail]").textContent = parts.filter(Boolean).join(" · ");
  }

  function walk(event) {
    const list = event.target.closest?.("[role=listbox]");
    const tokens = list ? [...list.children] : [];
    if (!tokens.length) return;
    const now = tokens.findIndex((token) => token.classList.contains("active"));
    const at = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: tokens.length - 1 }[event.key];
    if (at === undefined) return;
    event.preventDefault();
    const token = tokens[Math.max(0, Math.min(tokens.length - 1, at))];
    say(token);
    token.scrollIntoView({ block: "nearest" });
  }

  // ── ids instead of nothing above each token ────────────────────────────────────────────────────────────────────

  let ids = false;
  function shown() {
    root.classList.toggle("with-ids", ids);
    part("ids")?.setAttribute("aria-pressed", String(ids));
  }

  host.on({
    ids() { ids = !ids; shown(); },
    copy: ({ ids }) => copy(`[${ids.split(" ").join(", ")}]`, words.tokenizer_copied),
    sample({ text }) {
      part("text").value = text;
      part("text").focus();
      ask("text");
    },
    async fetch(_, button) {
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
      const answer = await host.call({ do: "fetch", model: value("model") });
      button.disabled = false;
      button.removeAttribute("aria-busy");
      if (answer.fetched) all();
    },
  });
  root.addEventListener("input", (event) => {
    const kind = of[event.target.dataset.part];
    if (kind) soon(kind);
  });
  root.addEventListener("change", (event) => { if (event.target.dataset.part === "model") all(); });
  root.addEventListener("keydown", walk);
  for (const name of ["pointerover", "click"]) {
    root.addEventListener(name, (event) => {
      const token = event.target.closest?.("[role=option]");
      if (token) say(token);
    });
  }
  root.addEventListener("focusin", (event) => {
    if (event.target.matches?.("[role=listbox]") && !event.target.querySelector(".active") && event.target.firstElementChild) say(event.target.firstElementChild);
  });
  // The list of models comes with the page's first look; only then there is something to count with.
  new MutationObserver((_, observer) => {
    if (!part("model")) return;
    observer.disconnect();
    all();
  }).observe(root, { childList: true, subtree: true });
}
