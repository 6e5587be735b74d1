// The curation desk: one example after another. The server draws; here is where one stands, what is asked for next, and
// the order in which it is done: a key pressed while another one is being answered waits its turn.

import { draw } from "/afina/static/knowledge/runtime.js";
import { editing } from "./desk_editor.js";
import { keys } from "./desk_keys.js";
import { ranking } from "./desk_rank.js";

const STORED = "afina-desk"; // {dataset, example, filter}: where one is, and where another page wants one to be
const TYPING = 250; // milliseconds without a key before a search begins
const RESTING = 120; // milliseconds at one example before it is counted how far one is

export function page(host) {
  const { root, words } = host;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const shown = () => document.documentElement.dataset.view === host.name;
  const desk = {
    host, root, words, part, shown, act, send: call, go, undo, toggle, focus, change, stop, stops, noted,
    at: null, // {dataset, example, before, after, of, clock} of what is shown
    only: {}, // the filter
    seen: false, // as the model sees it
    place: "", // data-place of the turn that keys act on
  };
  let line = Promise.resolve(); // what was asked for, one after the other
  let ahead = null; // the next example on its way: {key, coming}
  let trail = []; // examples that were changed, the newest last: where an undo leads to
  let asked = 0; // examples shown
  let resting = 0; // a timer
  let counted = 0; // the clock when the filter bar was drawn

  // ── where one is ──────────────────────────────────────────────────────────────────────────────────────────────

  const example = () => root.querySelector(".desk-example");
  function stops() { return [...root.querySelectorAll("[data-stop]")]; }
  function stop() {
    const here = document.activeElement?.closest?.("[data-stop]");
    if (here && root.contains(here)) return here;
    return stops().find((one) => one.dataset.place === desk.place) ?? null;
  }

  /** Where the page was asked to be: by the address, else by another page or by this one before a reload. */
  function wanted() {
    const query = new URLSearchParams(location.search);
    const stored = remembered();
    if (query.get("view") === host.name && query.get("dataset")) {
      const dataset = query.get("dataset");
      const same = String(stored.dataset) === dataset;
      return { dataset: /^\d+$/.test(dataset) ? Number(dataset) : dataset, example: Number(query.get("example")) || 0, filter: same ? stored.filter ?? {} : {} };
    }
    return stored;
  }

  function remembered() {
    try { return JSON.parse(sessionStorage.getItem(STORED)) ?? {}; } catch { return {}; }
  }

  function remember() {
    if (!desk.at) return;
    const { dataset, example: number } = desk.at;
    try { sessionStorage.setItem(STORED, JSON.stringify({ dataset, example: number, filter: desk.only, seen: desk.seen })); } catch { /* storage is off: the address still leads here */ }
    if (shown()) history.replaceState(history.state, "", `/?view=${host.name}&dataset=${dataset}${number ? `&example=${number}` : ""}`);
  }

  async function arrive() {
    if (!shown()) return;
    const { dataset, example: number, filter } = wanted();
    const same = desk.at && desk.at.dataset === dataset && (!number || number === desk.at.example);
    if (same && JSON.stringify(filter ?? {}) === JSON.stringify(desk.only)) return remember();
    if (!(await settled())) return remember();
    if (!dataset) return choose();
    desk.only = filter ?? {};
    desk.at = { dataset, example: number ?? 0 };
    const answer = await act({ do: "open", whole: true });
    if (answer.error && Object.keys(desk.only).length) { // a filter that is none any more
      desk.only = {};
      if (!(await act({ do: "open", whole: true })).error) return;
    } else if (!answer.error) return;
    await choose();
  }

  async function choose() {
    desk.at = null;
    await show(await host.call({ do: "choose" }));
  }

  // ── asking and drawing ────────────────────────────────────────────────────────────────────────────────────────

  function call(payload) {
    const { dataset, example: number } = desk.at;
    return host.call({ dataset, example: number, only: desk.only, seen: desk.seen, ...payload });
  }

  /** Ask when all before it is done, and show the answer. `payload`: an object, or a function that makes it then; `before`
   *  sees the answer first. */
  function act(payload, before = () => {}) {
    const mine = line.then(async () => {
      const asks = typeof payload === "function" ? payload() : payload;
      const answer = await call(asks);
      before(answer);
      await show(answer, asks);
      return answer;
    });
    line = mine.catch(() => {});
    return mine;
  }

  async function show(answer, asks = {}) {
    if (!answer.parts) return;
    const before = desk.at?.example;
    if (answer.at) desk.at = answer.at;
    const moved = before !== desk.at?.example || asks.do === "open";
    const had = root.contains(document.activeElement) && !field(document.activeElement) ? stop()?.dataset.place : null;
    draw(root, answer.parts);
    if (answer.parts.choices !== undefined) counted = desk.at?.clock;
    root.dataset.kind = example()?.dataset.kind ?? "";
    root.dataset.status = example()?.dataset.status ?? "";
    part("dock").hidden = !example();
    desk.ranked?.drawn();
    if (moved) settle(); else if (had !== null) focus(had, false);
    if (answer.told) tell(answer.told);
    remember();
    if (answer.at?.example) prepare();
    if (moved) desk.editor.restore();
  }

  const field = (element) => element.matches('input, textarea, select, [contenteditable="true"]');

  /** A new example: its beginning is in view, and keys act on its last answer. */
  function settle() {
    part("scroll").scrollTop = 0;
    const all = stops();
    const answers = all.filter((one) => one.dataset.role === "assistant");
    desk.place = (answers.findLast((one) => one.dataset.place.startsWith("turns.")) ?? answers[0] ?? all[0])?.dataset.place ?? "";
    mark();
    const here = document.activeElement;
    const busy = root.contains(here) ? field(here) || here.closest(".desk-head, .desk-dock") : here.closest(".sidebar, dialog, .viewer");
    if (shown() && !busy) part("scroll").focus({ preventScroll: true }); // not in the chat's field behind this page
  }

  function focus(place, scroll = true) {
    const one = stops().find((each) => each.dataset.place === place) ?? stops().at(-1);
    if (!one) return;
    desk.place = one.dataset.place ?? "";
    one.focus({ preventScroll: true });
    if (scroll) one.scrollIntoView({ block: "nearest" });
    mark();
  }

  function mark() {
    for (const one of stops()) one.toggleAttribute("data-local-current", one.dataset.place === desk.place && desk.place !== "");
  }

  function tell(text) { part("told").textContent = text; }

  /** The next example before it is asked for; and, when the person has come to rest, how far one is. */
  function prepare() {
    const mine = ++asked;
    const { example: number } = desk.at;
    const stays = () => mine === asked && desk.at?.example === number;
    clearTimeout(resting);
    resting = setTimeout(async () => {
      const answer = await call({ do: "progress" });
      if (stays() && answer.parts) draw(root, answer.parts);
    }, RESTING);
    ahead = { key: key(), coming: call({ do: "ahead" }) };
  }

  /** What was asked for ahead holds as long as nothing changed. */
  const key = () => JSON.stringify([desk.at, desk.only, desk.seen]);

  async function following() {
    if (ahead?.key !== key()) return null;
    const { next, clock } = await ahead.coming;
    return next && clock === desk.at.clock ? next : null;
  }

  // ── going ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** To the next example (1) or the one before (-1): at once, where it is here already. */
  async function go(step) {
    if (!(await settled())) return;
    const mine = line.then(async () => {
      if (!desk.at) return;
      const to = step > 0 ? desk.at.after : desk.at.before;
      if (!to) return host.toast(step > 0 ? words.desk_last : words.desk_first, { seconds: 2 });
      const answer = (step > 0 && await following()) || await call({ do: "open", to: step > 0 ? "after" : "before" });
      await show(answer, { do: "open" });
      tell(root.querySelector(".desk-example")?.getAttribute("aria-label") ?? "");
    });
    line = mine.catch(() => {});
    return mine;
  }

  /** What is being written is saved or given up before one goes elsewhere. */
  async function settled() { return desk.editor.settled(); }

  /** A change of the example that is shown then; remembered, so that an undo leads back to it. */
  async function change(payload) {
    if (!desk.at?.example || !(await settled())) return {};
    let changed = 0;
    return act(() => {
      changed = desk.at.example;
      return typeof payload === "function" ? payload() : payload;
    }, (answer) => { if (!answer.error) noted(changed); });
  }
  function noted(example = desk.at.example) { trail = [...trail.slice(-99), example]; }

  async function undo(sure = false) {
    if (!desk.at || !(await settled())) return;
    const answer = await act(() => ({ do: "undo", sure, example: trail.at(-1) ?? desk.at.example }));
    if (answer.ask && (await host.confirmed(...answer.ask))) return undo(true);
    if (answer.undone) trail.pop();
  }

  async function toggle() {
    if (!desk.at || !(await settled())) return;
    desk.seen = !desk.seen;
    for (const button of root.querySelectorAll('[data-do="seen"]')) button.setAttribute("aria-pressed", String(desk.seen));
    const { place } = desk;
    await act({ do: "open" });
    focus(place, false);
  }

  // ── what changes elsewhere ────────────────────────────────────────────────────────────────────────────────────

  new MutationObserver(() => {
    const clock = Number(root.querySelector("[data-clock]")?.dataset.clock);
    if (desk.at && shown()) line = line.then(() => elsewhere(clock)).catch(() => {});
  }).observe(root.querySelector('[data-region="clock"]'), { subtree: true, childList: true, attributes: true });

  async function elsewhere(clock) {
    if (!desk.at || desk.at.clock >= clock) return;
    const { of } = desk.at;
    const answer = await call({ do: "open", whole: true });
    if (answer.error) return desk.editor.open() ? null : choose();
    if (!desk.editor.open()) return show(answer, { do: answer.at.example === desk.at.example ? "same" : "open" });
    const same = answer.at.example === desk.at.example && answer.at.of === of;
    desk.at.clock = answer.at.clock;
    const { example: _, ...rest } = answer.parts;
    draw(root, rest);
    if (!same) desk.editor.changed();
  }

  new MutationObserver(arrive).observe(document.documentElement, { attributes: true, attributeFilter: ["data-view"] });
  addEventListener("popstate", () => setTimeout(arrive));

  // ── actions ───────────────────────────────────────────────────────────────────────────────────────────────────

  const decide = (what) => () => change({ do: what });
  const filtered = async () => {
    if (!(await settled())) return;
    if (desk.at) await act({ do: "open", example: 0, whole: true });
  };

  desk.actions = {
    next: () => go(1),
    previous: () => go(-1),
    approve: decide("approve"),
    drop: decide("drop"),
    reopen: decide("reopen"),
    undo: () => undo(),
    seen: toggle,
    edit: (data) => desk.editor.begin(data.place ?? place()),
    insert: (data) => desk.editor.add(data.place ?? place()),
    system: () => desk.editor.system(),
    save: () => desk.editor.save(),
    keep: () => desk.editor.save({ keep: true }),
    cancel: () => desk.editor.cancel(),
    "more-calls": () => desk.editor.moreCalls(),
    "fewer-calls": (_, element) => desk.editor.fewerCalls(element),
    "save-anyway": () => desk.editor.save({ anyway: true }),
    take: (data) => take(data.place ?? place()),
    mask: (data) => mask(data.place),
    split: (data) => split(data.place),
    merge: () => change({ do: "merge" }),
    tag: (_, element) => (element?.tagName === "FORM" ? tagged(element) : root.querySelector('.desk-tags [name="tag"]')?.focus()),
    untag: (data) => change({ do: "tag", tag: data.tag, on: false }),
    mend: (data) => change(() => ({ do: "mend", finding: Number(data.finding), of: desk.at.of })),
    see,
    other: (data) => jump(Number(data.example)),
    chat: (data) => host.go(Number(data.conversation)),
    view: (data) => host.view(data.view in host.chat.pages ? data.view : "chat"),
    choose: (data) => { desk.at = { dataset: Number(data.dataset), example: 0 }; desk.only = {}; return act({ do: "open", whole: true }); },
    all: () => { desk.only = {}; return filtered(); },
    fewer: () => { desk.only = Object.fromEntries(Object.entries(desk.only).filter(([name]) => root.querySelector(`[data-filter="${name}"], [name="${name}"]`))); return filtered(); },
    filters: () => open(),
    help: () => part("help").showModal(),
    "help-close": () => part("help").close(),
    "help-app": () => { part("help").close(); document.querySelector("#afina-help").showModal(); },
    rise: (data) => desk.ranked.move(Number(data.answer), -1),
    fall: (data) => desk.ranked.move(Number(data.answer), 1),
    mark: (data) => desk.ranked.score(data.dimension, data.value),
    unscore: (data) => desk.ranked.score(data.dimension, ""),
    scale: (_, element) => desk.ranked.scale(element.closest("[data-dimension]")),
    dimension: (_, form) => { const name = form.elements.dimension.value.trim(); if (name) desk.ranked.score(name, "0"); },
  };
  host.on(desk.actions);

  /** Of the turn that keys act on; beside a score, of the answer that has it. */
  function place() {
    const one = stop();
    return one?.matches("[data-dimension]") ? one.closest("[data-answer]").querySelector("[data-place]").dataset.place : one?.dataset.place;
  }
  const turn = (where) => stops().find((one) => one.dataset.place === (where ?? place()));
  function mask(where) {
    const one = turn(where);
    if (one?.dataset.role !== "assistant" || !("turn" in one.dataset)) return host.toast(words.desk_mask_where, { seconds: 3 });
    return change({ do: "mask", turn: Number(one.dataset.turn), learn: "masked" in one.dataset });
  }
  function split(where) {
    const one = turn(where);
    if (!one || !("turn" in one.dataset)) return host.toast(words.desk_split_where, { seconds: 3 });
    return change({ do: "split", turn: Number(one.dataset.turn) });
  }
  function take(where) {
    if (where && where !== "text") return change({ do: "take", place: where });
  }
  async function tagged(form) {
    const tag = form.elements.tag.value.trim();
    if (!tag) return;
    const answer = await change({ do: "tag", tag });
    if (answer.error) return;
    form.elements.tag.value = "";
  }
  /** To what was found: its mark, or the turn it is of. */
  function see({ finding, field }) {
    const place = /^(turns\.\d+|answers\.\d+\.turns\.\d+|text)/.exec(field)?.[0];
    const found = root.querySelector(`mark[data-findings~="${finding}"]`);
    for (let fold = found?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    if (place) focus(place);
    found?.scrollIntoView({ block: "center" });
  }
  async function jump(number) {
    if (await settled()) await act({ do: "open", example: number });
  }
  function open(yes = !root.hasAttribute("data-filters")) {
    root.toggleAttribute("data-filters", yes);
    root.querySelector(".desk-filter-button").setAttribute("aria-expanded", String(yes));
    if (yes) root.querySelector("[data-filter]")?.focus();
  }
  desk.filters = open;

  root.addEventListener("change", async (event) => {
    const { target } = event;
    if (target === part("dataset")) {
      if (!(await settled())) { target.value = desk.at.dataset; return; }
      desk.only = {};
      desk.at = { dataset: Number(target.value), example: 0 };
      await act({ do: "open", whole: true });
    }
    if (target.dataset.filter) {
      const { [target.dataset.filter]: _, ...others } = desk.only;
      desk.only = target.value ? { ...others, [target.dataset.filter]: target.value } : others;
      await filtered();
    }
  });
  let typing = 0;
  root.addEventListener("input", (event) => {
    if (event.target.name !== "search") return;
    clearTimeout(typing);
    typing = setTimeout(() => {
      const { search: _, ...others } = desk.only;
      const search = event.target.value.trim();
      desk.only = search ? { ...others, search } : others;
      filtered();
    }, TYPING);
  });
  /** What can be filtered for is counted again when somebody is about to look. */
  async function offered() {
    if (!desk.at || counted === desk.at.clock) return;
    counted = desk.at.clock;
    const answer = await call({ do: "choices" });
    if (answer.parts) draw(root, answer.parts);
  }
  const choices = root.querySelector('[data-region="choices"]');
  choices.addEventListener("pointerenter", offered);
  choices.addEventListener("focusin", offered);
  root.addEventListener("focusin", (event) => {
    const one = event.target.closest?.("[data-stop]");
    if (!one) return;
    desk.place = one.dataset.place ?? "";
    mark();
  });

  desk.editor = editing(desk);
  desk.ranked = ranking(desk);
  keys(desk);
  desk.seen = remembered().seen === true;
  for (const button of root.querySelectorAll('[data-do="seen"]')) button.setAttribute("aria-pressed", String(desk.seen));
  arrive();
}
