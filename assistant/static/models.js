// The models page: cards of what there is, an address to look at, keys, and what a local model would write next.

import { copy } from "/afina/static/knowledge/runtime.js";

export function page(host) {
  const { root, words } = host;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const SETTINGS = ["temperature", "top_k", "top_p"];

  /** What is wrong stands beside its field until the next try. */
  function told(name, problem) {
    const place = part(`${name}-problem`);
    place.textContent = problem ?? "";
    place.hidden = !problem;
  }

  async function look() {
    const field = part("address");
    told("add", "");
    if (!field.value.trim()) return field.focus();
    const answer = await host.call({ do: "look", address: field.value.trim() });
    told("add", answer.problem);
    field.setAttribute("aria-invalid", String(Boolean(answer.problem))); // without a word it means "valid"
    if (answer.problem) field.focus();
    if (answer.added) field.value = "";
  }

  async function key() {
    const [provider, secret] = [part("provider").value, part("secret")];
    const answer = await host.call({
      do: "key", provider: provider === "address" ? part("key-address").value.trim() || "http" : provider, secret: secret.value,
    });
    told("key", answer.problem);
    if (answer.problem || answer.error) return secret.focus();
    secret.value = "";
  }

  async function remove({ name }) {
    const answer = await host.call({ do: "remove", name });
    if (!answer.removed) return;
    part("address").focus();
    host.toast(answer.undo, { seconds: 10, action: [words.undo, () => host.call({ do: "restore", name })] });
  }

  async function add({ name }) {
    const answer = await host.call({ do: "add", name });
    if (answer.added) await host.call({ do: "look", address: part("address").value.trim() });
  }

  /** Steps of a test come quicker than the page's own look. */
  async function test({ name }) {
    let answer = await host.call({ do: "test", name });
    while (answer.testing) {
      await new Promise((done) => setTimeout(done, 300));
      answer = await host.call({ do: "show", stamp: "" });
    }
  }

  // ── what would be written next ─────────────────────────────────────────────────────────────────────────────────

  let asking = false;
  let again = false;

  function settings() {
    const [temperature, k, p] = SETTINGS.map((name) => Number(part(name).value));
    const off = { top_k: k >= Number(part("top_k").max), top_p: p >= 1 };
    part("temperature-value").textContent = temperature === 0 ? `0 · ${words.models_greedy}` : temperature.toLocaleString(document.documentElement.lang);
    part("top_k-value").textContent = off.top_k ? words.models_off : k;
    part("top_p-value").textContent = off.top_p ? words.models_off : p.toLocaleString(document.documentElement.lang);
    return { temperature, ...(off.top_k ? {} : { top_k: k }), ...(off.top_p ? {} : { top_p: p }) };
  }

  /** One question at a time; what changed meanwhile is asked once more, at the end. */
  async function next() {
    const chosen = settings();
    if (!part("panel").open) return;
    if (asking) { again = true; return; }
    asking = true;
    await host.call({ do: "next", text: part("text").value, settings: chosen });
    asking = false;
    if (again) { again = false; next(); }
  }

  host.on({
    look, key, remove, add, test,
    "let-in": async ({ again }) => {
      if (again && !(await host.confirmed(words.programs_again, words.programs_again_about, words.programs_again_yes, words.cancel))) return;
      await host.call({ do: "let-in" });
      part("made")?.select(); // what the button that was pressed has brought
    },
    "shut-out": async () => {
      if (!(await host.confirmed(words.programs_close, words.programs_close_about, words.programs_close_yes, words.cancel))) return;
      await host.call({ do: "shut-out" });
      root.querySelector('[data-do="let-in"]')?.focus();
    },
    "copy-made": () => copy(part("made").value, words.copied),
    use: ({ name }) => host.call({ do: "use", name }),
    warm: ({ name }) => host.call({ do: "warm", name }),
    forget: async ({ provider }) => {
      if (await host.confirmed(words.models_forget, words.models_forget_about, words.models_forget_yes, words.cancel)) {
        await host.call({ do: "forget", provider });
        part("secret").focus(); // the button that was pressed is gone
      }
    },
  });
  root.addEventListener("input", (event) => {
    if (["text", ...SETTINGS].includes(event.target.dataset.part)) next();
    if (event.target === part("address")) {
      told("add", "");
      event.target.removeAttribute("aria-invalid");
    }
  });
  root.addEventListener("change", (event) => {
    if (event.target === part("provider")) part("key-address").hidden = event.target.value !== "address";
  });
  part("panel").addEventListener("toggle", next);
  part("base").textContent = `${location.origin}/v1`;
  settings();
}
