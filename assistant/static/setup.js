// Who answers in this chat, with which model and settings. A chat that has no message yet is set up here and made with
// its first one; what is for the next message only is kept here too.

import { on, toast } from "/afina/static/knowledge/runtime.js";

const KEPT = "afina-new-chat"; // for this tab: a reload keeps what was chosen

export function setup(page) {
  const dialog = Object.assign(document.createElement("dialog"), { className: "dialog settings-dialog" });
  page.root.append(dialog);
  const tray = Object.assign(document.createElement("div"), { className: "files next" });
  page.root.querySelector(".composer").before(tray);
  page.next = null; // {model, settings} of the next message

  async function change(chosen) {
    if (page.conversation === null) {
      page.setup = chosen;
      try { sessionStorage.setItem(KEPT, JSON.stringify(chosen)); } catch { /* storage is off */ }
      return page.call({ do: "show" });
    }
    return page.call({ do: "set-up", chosen });
  }

  /** What stands in the panel. An empty field says nothing: the next one's word holds. */
  function read(form) {
    const fields = form.elements;
    const settings = {};
    for (const name of ["max_tokens", "temperature", "top_k", "top_p", "seed"]) {
      if (fields[name].value !== "" && !fields[name].disabled) settings[name] = fields[name].valueAsNumber;
    }
    if (fields.manner.value === "greedy") settings.temperature = 0;
    const stop = fields.stop.value.split("\n").filter((line) => line.trim()).slice(0, 4);
    if (stop.length && !fields.stop.disabled) settings.stop = stop;
    return { persona: page.setup.persona ?? null, model: fields.model.value, settings };
  }

  /** Greedy leaves nothing to chance: what is about chance rests. */
  function manner(form) {
    const chosen = form.elements.manner.value;
    for (const name of ["temperature", "top_k", "top_p"]) {
      const field = form.elements[name];
      if (field.closest(".refused")) continue;
      field.disabled = chosen === "greedy" || (name === "temperature" && chosen === "usual");
      if (field.disabled) field.value = "";
      const about = field.parentElement.querySelector("small");
      about.dataset.about ??= about.textContent;
      about.textContent = !field.disabled ? about.dataset.about : chosen === "greedy" ? page.words.rests_greedy : page.words.rests_usual;
    }
    const heat = form.elements.temperature;
    if (chosen === "sampling" && !heat.disabled && !(heat.valueAsNumber > 0)) heat.value = 0.7;
  }

  async function open(chosen = null) {
    const answer = await page.call({ do: "settings", chosen }).catch(() => null);
    if (!answer?.dialog) return;
    dialog.innerHTML = answer.dialog;
    manner(dialog.querySelector("form"));
    if (!dialog.open) dialog.showModal();
    if (chosen) dialog.querySelector("select").focus();
  }

  async function save(form, scope) {
    const chosen = read(form);
    if (scope === "next") {
      const answer = await page.call({ do: "next", chosen });
      if (answer.error) return;
      keep(answer.next ? { model: chosen.model, settings: chosen.settings } : null, answer.next);
    } else {
      const answer = await change(chosen);
      if (answer?.error) return;
      toast(page.words.saved, { seconds: 2 });
    }
    dialog.close();
  }

  function keep(next, said = "") {
    page.next = next;
    tray.replaceChildren();
    if (!next) return;
    const chip = Object.assign(document.createElement("div"), { className: "chip scope" });
    const words = Object.assign(document.createElement("span"), { textContent: page.words.next.replace("{settings}", said) });
    const remove = Object.assign(document.createElement("button"), { className: "tool", type: "button", textContent: "×", title: page.words.next_remove });
    remove.setAttribute("aria-label", page.words.next_remove);
    remove.addEventListener("click", () => { keep(null); page.composer.focus(); });
    chip.append(words, remove);
    tray.append(chip);
  }

  dialog.addEventListener("change", ({ target }) => {
    if (target.name === "model") open(read(target.form));
    if (target.name === "manner") manner(target.form);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  on("chat", {
    settings: () => open(),
    "settings-close": () => dialog.close(),
    "settings-reset": () => open({ persona: page.setup.persona ?? null }),
    "settings-save": (data, form, event) => save(form, event.submitter?.value ?? "chat"),
    withdraw: async (data) => {
      const answer = await page.call({ do: "withdraw", tool: data.tool });
      if (answer.dialog) dialog.innerHTML = answer.dialog;
    },
    speaker: (data, element) => {
      const menu = element.closest("details");
      menu.open = false;
      menu.querySelector("summary").focus();
      change({ ...page.setup, persona: data.persona ? Number(data.persona) : null }).then(() => page.composer.focus());
    },
  });
  return {
    /** A new chat begins with nothing chosen; after a reload, with what this tab had chosen. */
    fresh: (again = false) => {
      let kept = null;
      try { kept = again ? JSON.parse(sessionStorage.getItem(KEPT)) : sessionStorage.removeItem(KEPT); } catch { /* nothing was kept */ }
      page.setup = kept ?? {};
      keep(null);
    },
    /** What the next message takes along; it is used up when the message was sent. */
    sent: () => keep(null),
  };
}
