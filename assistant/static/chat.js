// The chat page: what the server draws is put on the page, what the person does is handed to the server.
// An answer on its way is followed by server-sent events; a reload or a second tab follows it again from its beginning.

import { documents } from "/afina/static/knowledge/documents.js";
import { draw, morph, mounted, on, toast } from "/afina/static/knowledge/runtime.js";
import { viewer } from "/afina/static/knowledge/viewer.js";
import { composer } from "./composer.js";
import { messages } from "./messages.js";
import { further } from "./pages.js";
import { setup } from "./setup.js";
import { shortcuts } from "./shortcuts.js";
import { sidebar } from "./sidebar.js";

const page = {
  conversation: null, search: "", stamp: "", title: "", writing: null, waiting: false, busy: false,
  setup: {}, // who answers in this chat, its model, its settings
  cast: [], // who can be named with @
  pages: {}, // beside the chat, by name: {root, refresh}, filled as they load
  words: {}, root: null, server: null, upload: null, call, show, go, view, pin, toBottom: () => scroller().scrollTo({ top: scroller().scrollHeight }),
};
const scroller = () => page.root.querySelector(".scroll");
let asked = 0; // calls made
let drawn = 0; // the newest call whose answer is shown
let following = null; // {message, source}
let pinned = true; // whether the newest words are kept in view
let offline = false;
const announced = new Set(); // decisions the person was told about

async function call(payload, { quiet = false } = {}) {
  const mine = ++asked;
  const before = page.conversation;
  let answer;
  try {
    const chosen = page.conversation === null ? { new: page.setup } : {};
    answer = await page.server.chat_call({ conversation: page.conversation, search: page.search, ...chosen, ...payload });
    if (!answer) throw new Error("offline"); // Gradio 6.31 answers a lost connection with nothing
  } catch (error) {
    if (!offline || !quiet) toast(page.words.offline, { kind: "bad" });
    offline = true;
    throw error;
  }
  offline = false;
  if (answer.error) toast(answer.error, { kind: "bad", seconds: 8 });
  if (answer.said) toast(answer.said, { seconds: 4 });
  if (answer.panel) viewer.show(answer.panel);
  const elsewhere = before !== page.conversation; // the person went to another chat meanwhile
  if (answer.regions && mine > drawn && !elsewhere) {
    drawn = mine;
    apply(answer);
  }
  return answer;
}

function apply(answer) {
  const { regions, stamp, conversation, title, writing, waiting, busy, setup: chosen, cast } = answer;
  const moved = conversation !== page.conversation;
  Object.assign(page, { stamp, conversation, title, writing, waiting, busy, setup: chosen, cast });
  if (moved) history.pushState({}, "", address());
  document.title = title ? `${title} · Afina` : "Afina";
  if (following && following.message !== writing) unfollow();
  draw(page.root, regions);
  page.root.dataset.writing = writing || waiting ? "yes" : "";
  if (writing && !following) follow(writing);
  if (pinned) page.toBottom();
}

function follow(message) {
  const article = () => page.root.querySelector(`article[data-message="${message}"]`);
  const source = new EventSource(`/afina/follow/${message}`);
  following = { message, source };
  article()?.setAttribute("data-local-held", "");
  source.addEventListener("error", refused);
  source.addEventListener("message", (event) => {
    const { done, ...parts } = JSON.parse(event.data);
    for (const [part, html] of Object.entries(parts)) {
      const place = article()?.querySelector(`[data-part="${part}"]`);
      if (place) morph(place, html);
    }
    if ("steps" in parts) asking();
    if (pinned) page.toBottom();
    if (!done) return;
    for (const steps of article()?.querySelectorAll(".steps:not([data-local-touched])") ?? []) steps.open = false;
    unfollow();
    page.root.querySelector("[data-said]").textContent = page.words.ready;
    show();
  });
}

// An answer that waits for a yes says so, and the keyboard is where the question is, unless something is being written.
function asking() {
  for (const card of page.root.querySelectorAll(".approval")) {
    const key = `${card.closest("article").dataset.message} ${card.dataset.call}`;
    if (announced.has(key)) continue;
    announced.add(key);
    page.root.querySelector("[data-said]").textContent = page.words.asks.replace("{title}", card.getAttribute("aria-label"));
    const { activeElement: here } = document;
    if (!here?.value && !document.querySelector("dialog[open]")) card.focus();
    card.scrollIntoView({ block: "nearest" });
  }
}

// A lost connection is taken up again by the browser; a refused one is not, and then the poll goes on.
function refused() {
  if (following?.source.readyState === EventSource.CLOSED) unfollow();
}

function unfollow() {
  if (!following) return;
  following.source.close();
  page.root.querySelector(`article[data-message="${following.message}"]`)?.removeAttribute("data-local-held");
  following = null;
}

function show(stamp = "") {
  return call({ do: "show", stamp }, { quiet: true }).catch(() => {});
}

function address() {
  const { view: name } = document.documentElement.dataset;
  if (name in page.pages) return `/?view=${name}`;
  return page.conversation ? `/?c=${page.conversation}` : "/";
}

/** To another chat (null: a new one). */
async function go(conversation, { push = true } = {}) {
  view("chat", { push: false });
  unfollow();
  pinned = true;
  Object.assign(page, { conversation, stamp: "" });
  page.settings?.fresh();
  if (push) history.pushState({}, "", address());
  const answer = await call({ do: "show" }).catch(() => null);
  if (answer?.error && conversation) return go(null);
  page.composer?.restore();
  if (innerWidth >= 760) page.composer?.focus();
  return answer;
}

function view(name, { push = true } = {}) {
  document.documentElement.dataset.view = name;
  for (const [other, { root, refresh }] of Object.entries(page.pages)) {
    if (root) root.hidden = other !== name;
    if (other === name) refresh?.();
  }
  for (const item of page.root.querySelectorAll(".nav-item[data-view]")) {
    if (item.dataset.view === name) item.setAttribute("aria-current", "page"); else item.removeAttribute("aria-current");
  }
  if (push) history.pushState({}, "", address());
}

function pin(yes) {
  pinned = yes;
  if (yes) page.toBottom();
}

function watchScroll() {
  const button = page.root.querySelector(".to-bottom");
  const area = scroller();
  area.addEventListener("scroll", () => {
    pinned = area.scrollHeight - area.scrollTop - area.clientHeight < 60;
    button.hidden = pinned;
  });
  new ResizeObserver(() => pinned && page.toBottom()).observe(area.firstElementChild);
}

function arrive() {
  const query = new URLSearchParams(location.search);
  const conversation = Number(query.get("c")) || null;
  view(query.get("view") in page.pages ? query.get("view") : "chat", { push: false });
  return conversation;
}

async function poll() {
  if (!document.hidden && !following) await show(page.stamp);
  setTimeout(poll, page.busy || page.waiting ? 400 : 1500);
}

async function start() {
  const { element, server, upload } = await mounted("chat");
  const root = element.querySelector(".afina");
  root.dataset.scope = "chat";
  document.body.append(root); // out of Gradio's container, whose rules reach every input and border in it
  Object.assign(page, { root, server, upload });
  const shell = await server.chat_shell({});
  document.documentElement.lang = shell.language;
  page.words = shell.words;
  root.innerHTML = shell.html;
  page.pages = { documents: { root: document.querySelector(".documents-page") } };
  for (const { name } of shell.pages) page.pages[name] = {};
  const conversation = arrive();
  document.body.append(root.querySelector(".dropzone")); // above both pages
  page.composer = composer(page);
  page.settings = setup(page);
  messages(page);
  sidebar(page);
  shortcuts(page, shell.pages);
  watchScroll();
  on("chat", { bottom: () => pin(true) });
  page.conversation = conversation;
  page.settings.fresh(conversation === null);
  const answer = await call({ do: "show" }).catch(() => null);
  if (answer?.error) await go(null);
  root.hidden = false;
  document.querySelector("#afina-still")?.remove();
  page.toBottom();
  page.composer.restore();
  if (innerWidth >= 760) page.composer.focus();
  page.pages.documents.refresh = (await documents({
    words: page.words,
    asking: async (document) => {
      await go(null);
      await call({ do: "attach", document });
    },
  })).refresh;
  Object.assign(page.pages, await further(shell.pages, page));
  addEventListener("popstate", () => { const c = arrive(); if (c !== page.conversation) go(c, { push: false }); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !following) show(page.stamp); });
  root.dataset.ready = "yes";
  poll();
}

start();
