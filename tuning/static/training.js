// The training page. Where the person is, is the page's address; the server reads a job's folder and draws what is there.

import { copy } from "/afina/static/knowledge/runtime.js";
import { published } from "./published.js";

const NUMBERS = ["job", "against", "page"];
const TEXTS = ["room", "data", "part", "by"];
const UNMEASURED = ["name"]; // fields that change nothing of what it takes
const PAUSE = 700; // milliseconds after the last change, before what it takes is asked again

export function page(host) {
  const { root, words } = host;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);

  function here() {
    const at = {};
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (NUMBERS.includes(name)) at[name] = Math.trunc(Math.abs(Number(value))) || 0;
      else if (name === "new") at.new = true;
      else if (TEXTS.includes(name)) at[name] = value;
    }
    return at;
  }
  host.state = () => ({ at: here() });

  async function to(given, { push = true } = {}) {
    const query = new URLSearchParams({ view: host.name });
    for (const [name, value] of Object.entries(given)) if (value && name !== "view") query.set(name, value);
    history[push ? "pushState" : "replaceState"]({}, "", `/?${query}`);
    await host.refresh();
  }

  async function act(payload) {
    const answer = await host.call({ at: here(), ...payload });
    if (answer.go) {
      await to(answer.go);
      root.scrollTop = 0;
      root.querySelector("h1")?.focus?.();
    }
    return answer;
  }

  /** The form's fields by their names; what is empty is left out. */
  function read() {
    const given = {};
    for (const element of part("form").querySelectorAll("[data-field]")) {
      if (element.type === "radio" && !element.checked) continue;
      const value = element.value.trim();
      if (value) given[element.dataset.field] = element.dataset.kind === "number" ? Number(value) : value;
    }
    return given;
  }

  function told(problem) {
    const place = part("form").querySelector('[data-problem="form"]');
    place.hidden = !problem;
    place.textContent = problem;
  }

  /** What a number field holds is a number of the kind it takes; the browser's own words say what is wrong. */
  function valid() {
    for (const element of part("form").querySelectorAll("input")) {
      if (element.checkValidity()) continue;
      for (let group = element.closest("details"); group; group = group.parentElement.closest("details")) group.open = true;
      element.reportValidity();
      return false;
    }
    return true;
  }

  /** An estimate is of the form as it was then. */
  function compared() {
    const estimate = part("estimate");
    if (!estimate) return;
    const given = read();
    const of = JSON.parse(estimate.dataset.of);
    const names = new Set([...Object.keys(given), ...Object.keys(of)].filter((name) => !UNMEASURED.includes(name)));
    const stale = [...names].some((name) => String(given[name] ?? "") !== String(of[name] ?? ""));
    part("form").toggleAttribute("data-local-stale", stale);
    return stale;
  }

  /** What it will take is asked by itself: when the form is there, and after each change. */
  let soon = 0;
  let shown = null;
  function estimated() {
    const form = part("form");
    if (!form) return;
    const first = form !== shown;
    shown = form;
    if (first && (!part("estimate") || compared())) estimate();
  }
  function later() {
    clearTimeout(soon);
    soon = setTimeout(() => part("form") && estimate(), PAUSE);
  }
  async function estimate() {
    clearTimeout(soon);
    if ([...part("form").querySelectorAll("input")].some((element) => !element.checkValidity())) return;
    await host.call({ at: here(), do: "estimate", form: read() });
  }

  /** Another recipe has other defaults; what the person wrote over the old ones stays. */
  let recipe = null;
  function defaults(name) {
    const known = JSON.parse(part("form").dataset.recipes);
    const before = known[recipe ?? Object.keys(known)[0]] ?? {};
    for (const [field, value] of Object.entries(known[name] ?? {})) {
      const element = part("form").querySelector(`[data-field="${field}"]`);
      if (element && Number(element.value) === before[field]) element.value = value;
    }
    recipe = name;
  }

  let pending = false;
  async function start(anyway = false) {
    if (pending || !valid()) return;
    pending = true;
    clearTimeout(soon);
    told("");
    let answer;
    try {
      answer = await act({ do: "start", form: read(), anyway });
      if (answer.error) told(answer.error);
      if (answer.go) recipe = null;
    } finally {
      pending = false;
    }
    if (answer?.refused && await host.confirmed(words.training_short_title, answer.refused, words.training_short_anyway, words.training_short_not)) await start(true);
  }

  /** The metrics that are ticked, what else is measured. */
  function evaluate(given, form) {
    for (const element of form.querySelectorAll("input")) if (!element.checkValidity()) return element.reportValidity();
    const asked = { metrics: [...form.querySelectorAll("[data-metric]:checked")].map((element) => element.dataset.metric) };
    for (const element of form.querySelectorAll("[data-field]")) {
      const { field, kind } = element.dataset;
      const value = kind === "yes" ? element.checked : kind === "number" ? Number(element.value) : element.value.trim();
      if (value || kind === "yes") asked[field] = value;
    }
    return act({ do: "evaluate", job: Number(given.job), ...asked });
  }

  async function publish(given, form) {
    const persona = form.querySelector('[data-field="persona"]');
    if (!persona.value.trim()) return persona.focus();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const payload = { do: "publish", job: Number(given.job), persona: persona.value.trim() };
      const answer = await act(payload);
      if (answer.refused && await host.confirmed(words.training_anyway_title, answer.refused, words.training_anyway, words.training_anyway_not)) {
        await act({ ...payload, anyway: true });
      }
    } finally {
      button.disabled = false;
    }
    root.querySelector('[data-do="chat"]')?.focus();
  }

  async function remove(given) {
    const sure = await host.confirmed(words.training_remove_title.replace("{name}", given.name), words.training_remove_text, words.training_remove, words.training_remove_not);
    if (sure) await act({ do: "remove", job: Number(given.job) });
  }

  /** A new chat in which the persona answers; it is made with its first message. */
  async function chat(given) {
    await host.go(null);
    host.chat.setup = { persona: Number(given.persona) };
    await host.chat.call({ do: "show" });
    host.chat.composer?.focus();
  }

  host.on({
    ...published(host, act, here),
    to: (_, element) => to(Object.fromEntries(new URL(element.href).searchParams)),
    view: (given) => host.view(given.view),
    start: () => start(),
    estimate: () => { told(""); return valid() && estimate(); },
    jump: (given) => {
      const section = root.querySelector(`[data-key="${given.to}"]`);
      section.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      const title = section.querySelector("h2");
      title.tabIndex = -1;
      title.focus({ preventScroll: true });
    },
    evaluate,
    "go-on": (given) => act({ do: "evaluate", job: Number(given.job), go_on: true }),
    halt: (given) => act({ do: "halt", job: Number(given.job) }),
    cancel: (given) => act({ do: "cancel", job: Number(given.job) }),
    resume: (given) => act({ do: "resume", job: Number(given.job) }),
    remove,
    publish,
    chat,
    copy: (given) => copy(given.text, words.training_copied),
  });
  root.addEventListener("change", ({ target }) => {
    if (target === part("against")) return to({ ...here(), against: target.value }, { push: false });
    if (target === part("by")) return to({ ...here(), by: target.value, page: 0 }, { push: false });
    if (target.dataset.field === "recipe") defaults(target.value);
    changed(target);
  });
  root.addEventListener("input", ({ target }) => changed(target));
  function changed(target) {
    if (!part("form")?.contains(target) || UNMEASURED.includes(target.dataset.field)) return;
    compared();
    later();
  }
  new MutationObserver(() => {
    if (!part("form")) return;
    compared();
    estimated();
  }).observe(root, { childList: true, subtree: true });
}
