// What can be done with a message: copy, edit, retry, rate, step through its versions, open its citations.

import { copy, on, toast } from "/afina/static/knowledge/runtime.js";
import { viewer } from "/afina/static/knowledge/viewer.js";

export function messages(page) {
  const article = (data) => page.root.querySelector(`article[data-message="${data.message}"]`);

  function edit(data) {
    const message = article(data);
    const bubble = message.querySelector("[data-text]"); // of a question, or of an answer that is corrected
    if (message.querySelector("form.editing")) return;
    const form = Object.assign(document.createElement("form"), { className: "editing" });
    form.dataset.do = "edited";
    form.dataset.message = data.message;
    const area = Object.assign(document.createElement("textarea"), { value: bubble.dataset.text, name: "text", maxLength: 20000 });
    const label = message.classList.contains("answer") ? page.words.correct_label : page.words.edit_label;
    area.setAttribute("aria-label", label);
    const cancel = Object.assign(document.createElement("button"), { type: "button", textContent: page.words.cancel, className: "button" });
    cancel.addEventListener("click", () => put());
    const save = Object.assign(document.createElement("button"), { textContent: page.words.save, className: "button primary" });
    const row = Object.assign(document.createElement("div"), { className: "row" });
    row.append(cancel, save);
    form.append(area, row);
    message.dataset.localHeld = "";
    message.append(form);
    area.focus();
    area.style.height = `${area.scrollHeight}px`;
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); put(); }
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
    });
    function put() {
      form.remove();
      delete message.dataset.localHeld;
    }
  }

  async function rate(data, liked, pressed) {
    const message = article(data);
    if (pressed) delete message.dataset.localRating;
    else message.dataset.localRating = "";
    await page.call({ do: "rate", message: +data.message, liked: pressed ? null : liked });
    message.querySelector(".feedback")?.scrollIntoView({ block: "nearest" });
  }

  function rated(form) {
    const reasons = [...form.querySelectorAll('.reason[aria-pressed="true"]')].map((chip) => chip.dataset.reason);
    return page.call({ do: "rate", message: +form.dataset.message, liked: form.dataset.liked === "true", reasons, note: form.elements.note.value });
  }

  // What else can be done with an answer: its form in a dialog, then what was done.
  async function further({ message, name }) {
    const answer = await page.call({ do: "further", message: +message, name });
    if (!answer?.form) return;
    const dialog = Object.assign(document.createElement("dialog"), { className: "dialog further-dialog" });
    const form = Object.assign(document.createElement("form"), { innerHTML: answer.form });
    const row = Object.assign(document.createElement("div"), { className: "dialog-row" });
    const cancel = Object.assign(document.createElement("button"), { type: "button", textContent: page.words.cancel, className: "button" });
    row.append(cancel, Object.assign(document.createElement("button"), { textContent: page.words.save, className: "button primary" }));
    form.append(row);
    dialog.append(form);
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("close", () => dialog.remove());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string"));
      const done = await page.call({ do: "further", message: +message, name, given });
      if (done && !done.error) dialog.close();
    });
    // A field may belong to one choice of another: <label data-with="dataset" data-value="">.
    const fit = () => {
      for (const field of form.querySelectorAll("[data-with]")) field.hidden = form.elements[field.dataset.with].value !== field.dataset.value;
    };
    form.addEventListener("change", fit);
    fit();
    page.root.append(dialog);
    dialog.showModal();
  }

  async function cite(data) {
    for (const button of page.root.querySelectorAll(".cite.current")) delete button.dataset.localCurrent;
    await page.call({ do: "cite", message: +data.message, n: +data.n });
    for (const button of page.root.querySelectorAll(".cite")) {
      const same = button.dataset.message === data.message && button.dataset.n === data.n;
      if (same) button.dataset.localCurrent = ""; else delete button.dataset.localCurrent;
    }
  }

  // A menu by keys: arrows through its lines, Escape back to where it was opened.
  page.root.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.route[open]");
    if (!menu || !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const lines = [...menu.querySelectorAll(".menu button")];
    const here = lines.indexOf(document.activeElement);
    if (event.key === "Escape") { menu.open = false; menu.querySelector("summary").focus(); }
    else lines.at(event.key === "ArrowDown" ? (here + 1) % lines.length : here > 0 ? here - 1 : -1)?.focus();
  });
  page.root.addEventListener("toggle", ({ target }) => {
    if (target.open && target.matches?.(".answer details.route")) target.querySelector(".menu").scrollIntoView({ block: "nearest" });
  }, true);
  // What the person opened or closed stays so when the answer is done.
  page.root.addEventListener("click", (event) => {
    const steps = event.target.closest?.(".steps");
    if (steps && event.target.closest("summary")) steps.dataset.localTouched = "";
  });
  on("any", {
    cite,
    "copy-quote": () => copy(viewer.element.querySelector("blockquote").textContent, page.words.copied),
    "copy-code": (data, element) => copy(element.nextElementSibling.textContent, page.words.copied),
  });
  on("chat", {
    edit,
    further,
    edited: (data, form) => {
      const text = form.elements.text.value.trim();
      if (!text) return;
      form.remove();
      delete article(data).dataset.localHeld;
      page.pin(true);
      page.call({ do: "edit", message: +data.message, text });
    },
    copy: (data) => {
      const message = article(data);
      copy(message.querySelector("[data-text]").dataset.text, page.words.copied);
    },
    retry: (data) => { page.pin(true); page.call({ do: "retry", message: +data.message }); },
    reroute: ({ message, route, tool = "", persona = "" }) => {
      page.pin(true);
      page.call({ do: "retry", message: +message, route, tool, persona });
    },
    approve: async (data) => {
      await page.call({ do: "approve", message: +data.message, call: data.call, decision: data.decision });
      page.root.querySelector("[data-said]").textContent = page.words.decided;
      page.composer.focus();
    },
    forget: async (data) => {
      await page.call({ do: "forget", correction: +data.correction });
      page.composer.focus(); // the button that was pressed is gone
    },
    choose: (data) => page.call({ do: "choose", message: +data.message }),
    like: (data, element) => rate(data, true, element.getAttribute("aria-pressed") === "true"),
    dislike: (data, element) => rate(data, false, element.getAttribute("aria-pressed") === "true"),
    reason: (data, element) => {
      element.setAttribute("aria-pressed", String(element.getAttribute("aria-pressed") !== "true"));
      rated(element.closest("form"));
    },
    note: async (data, form) => {
      await rated(form);
      delete article(data).dataset.localRating;
      toast(page.words.thanks, { seconds: 2 });
    },
  });
}
