// Further pages beside the chat: each is a module of its own, loaded when the server has its component.
// A page's module exports page(host). What it may use of host:
//   name, root (its <section>), words, go (to a chat), view (to a page), toast, confirmed, upload(file) → {path}
//   on({action: (data, element, event) => …})   what its data-do buttons and forms do
//   call(payload) → the server's answer, already drawn; a refusal has been said, {error} is returned
//   refresh()                                   draw it again now
// What it may give: host.state = () => ({…})    where the person is on it, sent with every "show"

import { confirmed, draw, mounted, on, toast } from "/afina/static/knowledge/runtime.js";

const TURN = 1500; // milliseconds between two looks at a page that is shown
const SOON = 400; // while it is busy
const shown = (name) => document.documentElement.dataset.view === name;

/** Load the pages `places`, {name, package} each; → {name: {root, refresh}}. */
export async function further(places, chat) {
  const pages = {};
  for (const place of places) pages[place.name] = await open(place, chat);
  return pages;
}

async function open({ name, package: home }, chat) {
  const script = `/afina/static/${home}/${name}.js`;
  const [{ element, server, upload }, module] = await Promise.all([mounted(name), import(script)]);
  const root = element.querySelector(`.${name}-page`);
  root.dataset.scope = name;
  root.hidden = !shown(name);
  document.body.append(root); // out of Gradio's container, as the chat is
  root.innerHTML = await server.page_shell({});
  let stamp = "";
  let asked = 0;
  let drawn = 0;
  let busy = false;

  async function call(payload) {
    const mine = ++asked;
    let answer;
    try {
      answer = await server.page_call(payload);
      if (!answer) throw new Error("no answer"); // Gradio 6.31 swallows a lost connection and gives nothing back
    } catch {
      toast(chat.words.offline, { kind: "bad" });
      return { error: chat.words.offline };
    }
    if (answer.error) toast(answer.error, { kind: "bad", seconds: 8 });
    if (answer.said) toast(answer.said, { seconds: 3 });
    if (answer.file) save(answer.file);
    if (answer.regions && mine > drawn) { // an older answer never covers a newer one
      drawn = mine;
      if (answer.stamp) stamp = answer.stamp;
      busy = Boolean(answer.busy);
      draw(root, answer.regions);
    }
    return answer;
  }

  const show = (known) => call({ do: "show", stamp: known, ...host.state?.() });
  const refresh = async () => {
    await null; // a page is refreshed before its address is there, and the address may be its state
    return show("");
  };
  const host = {
    name, root, words: chat.words, go: chat.go, view: chat.view, chat, toast, confirmed, upload, call, refresh,
    on: (actions) => on(name, actions),
  };
  module.page(host);
  const turn = async () => {
    if (shown(name) && !document.hidden) await show(stamp);
    setTimeout(turn, busy ? SOON : TURN);
  };
  turn();
  return { root, refresh };
}

function save({ name, kind, text }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
