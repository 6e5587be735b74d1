// The personas page: cards, and the form of one. The form is drawn once and read when it is saved; what the server finds
// wrong is said beside each field, and nothing that was written is lost.

import { dropping } from "/afina/static/knowledge/runtime.js";

const SIDE = 256; // pixels of a picture
const LARGEST = 200_000; // characters of a picture in the card

export function page(host) {
  const { root, words } = host;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const form = () => root.querySelector(".persona-form");
  const shown = () => document.documentElement.dataset.view === host.name;
  let before = ""; // the form's content when it was opened or saved
  let opener = null; // the button that opened it

  const changed = () => form() && JSON.stringify(read()) !== before;

  async function open(data, element) {
    if (changed() && !(await lost())) return;
    const answer = await host.call({ do: "open", persona: Number(data.persona) });
    if (answer.error) return;
    opener = element;
    root.dataset.editing = "yes";
    greyed(JSON.parse(part("takes").dataset.takes));
    before = JSON.stringify(read());
    root.scrollTop = 0;
    root.querySelector('[data-field="name"]').focus();
  }

  const lost = () => host.confirmed(words.personas_lost, words.personas_lost_text, words.personas_leave, words.personas_stay);

  async function close(asked = true) {
    if (asked && changed() && !(await lost())) return;
    delete root.dataset.editing;
    root.querySelector('[data-region="form"]').replaceChildren();
    (opener?.isConnected ? opener : root.querySelector('[data-persona="0"]'))?.focus();
  }

  function read() {
    const card = {};
    for (const element of form().querySelectorAll("[data-field]")) {
      const value = valueOf(element);
      if (value === undefined) continue;
      const path = element.dataset.field.split(".");
      let place = card;
      for (const name of path.slice(0, -1)) place = place[name] ??= {};
      place[path.at(-1)] = value;
    }
    return card;
  }

  function valueOf(element) {
    const kind = element.dataset.kind;
    const text = kind === "text" || kind === "number" ? element.value.trim() : "";
    if (kind === "text") return text || (element.dataset.field === "name" ? "" : undefined);
    if (kind === "number") return text === "" ? undefined : numbered(text);
    if (kind === "lines") return lines(element.value);
    if (kind === "stops") return lines(element.value, false)?.map((line) => line.replace(/\\(n|\\)/g, (_, c) => (c === "n" ? "\n" : "\\")));
    if (kind === "yes") return element.getAttribute("aria-checked") === "true" ? true : undefined;
    if (kind === "examples") return [...element.querySelectorAll("ol .persona-example")].map(example);
    return chosen(element);
  }

  const numbered = (text) => { // a comma is a decimal point where people write it so; what is no number goes as it is
    const number = Number(text.replace(",", "."));
    return Number.isFinite(number) ? number : text;
  };
  const lines = (text, trimmed = true) => {
    const found = text.split("\n").map((line) => (trimmed ? line.trim() : line)).filter(Boolean);
    return found.length ? found : undefined;
  };
  const example = (row) => ({
    user: row.querySelector('[data-part="user"]').value.trim(),
    assistant: row.querySelector('[data-part="assistant"]').value.trim(),
  });
  function chosen(element) {
    if (element.querySelector('[type="radio"]:checked').value === "all") return undefined;
    const boxes = [...element.querySelectorAll('[type="checkbox"]:checked')];
    return boxes.map((box) => (element.dataset.field === "collection" ? { sha256: box.value, title: box.dataset.title } : box.value));
  }

  async function save() {
    const button = form().querySelector(".primary");
    button.disabled = true;
    try {
      const answer = await host.call({ do: "save", persona: Number(form().dataset.persona), card: read() });
      if (answer.problems) told(answer.problems);
      else if (answer.saved) await close(false);
    } finally {
      button.disabled = false;
    }
  }

  /** Each problem beside its field; what has no field of its own stands above the form. */
  function told(problems) {
    for (const old of form().querySelectorAll("[data-problem], .persona-example [data-part=problem]")) { old.hidden = true; old.textContent = ""; }
    for (const old of form().querySelectorAll("[aria-invalid]")) old.removeAttribute("aria-invalid");
    let first = null;
    for (const { field, said } of problems) {
      const row = /^examples\.(\d+)\./.exec(field);
      const exampleRow = row && form().querySelectorAll("ol .persona-example")[row[1] - 1];
      const parent = field.split(".")[0];
      const place = exampleRow?.querySelector('[data-part="problem"]')
        ?? form().querySelector(`[data-problem="${CSS.escape(field)}"]`) ?? form().querySelector(`[data-problem="${CSS.escape(parent)}"]`)
        ?? form().querySelector('[data-problem=""]');
      place.hidden = false;
      place.textContent = place.textContent ? `${place.textContent} ${said}` : said;
      const input = exampleRow?.querySelector("textarea") ?? form().querySelector(`[data-field="${CSS.escape(field)}"]`);
      input?.setAttribute("aria-invalid", "true");
      for (let group = place.closest("details"); group; group = group.parentElement.closest("details")) group.open = true;
      first ??= input ?? place;
    }
    first?.scrollIntoView({ block: "center" });
    first?.focus?.({ preventScroll: true });
  }

  /** Settings that the chosen model does not take: greyed out, with the reason. */
  function greyed(takes) {
    for (const input of part("takes").querySelectorAll("[data-field]")) {
      const why = takes[input.dataset.field.split(".")[1]] ?? "";
      const note = input.parentElement.querySelector(".why") ?? Object.assign(document.createElement("small"), { className: "why state fair" });
      input.disabled = Boolean(why);
      note.textContent = why;
      note.hidden = !why;
      input.after(note);
    }
  }

  async function picture(file) {
    try {
      const image = await createImageBitmap(file);
      const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(image.width * scale));
      canvas.height = Math.max(1, Math.round(image.height * scale));
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      let uri = canvas.toDataURL("image/webp", 0.85);
      if (uri.length > LARGEST) uri = canvas.toDataURL("image/jpeg", 0.7);
      part("emoji").value = "";
      pictured(uri);
    } catch {
      told([{ field: "picture", said: words.personas_no_picture }]);
    }
  }

  function pictured(value) {
    const problem = form().querySelector('[data-problem="picture"]');
    problem.hidden = true;
    problem.textContent = "";
    form().querySelector('[data-field="picture"]').value = value;
    const frame = part("portrait").querySelector(".persona-face");
    frame.replaceChildren(value.startsWith("data:")
      ? Object.assign(document.createElement("img"), { src: value, alt: "" })
      : value || [...form().querySelector('[data-field="name"]').value.trim()][0] || "?");
  }

  async function take(files) {
    for (const file of files) {
      const bytes = new Uint8Array(await file.slice(0, 1_000_001).arrayBuffer());
      let text = "";
      for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
      await host.call({ do: "import", data: btoa(text) });
    }
  }

  async function attempt(_, button) {
    const question = part("question");
    const said = part("said");
    if (!question.value.trim()) return question.focus();
    button.disabled = true;
    said.hidden = false;
    said.textContent = "…";
    try {
      const answer = await host.call({ do: "try", persona: Number(form().dataset.persona), card: read(), question: question.value.trim() });
      if (answer.problems) { said.hidden = true; told(answer.problems); }
      else said.textContent = answer.answer ?? answer.error;
    } finally {
      button.disabled = false;
    }
  }

  /** The button that was pressed is gone with its card. */
  const rest = () => root.querySelector('[data-do="open"][data-persona="0"]')?.focus();

  async function remove(data) {
    const answer = await host.call({ do: "remove", persona: Number(data.persona) });
    if (!answer.removed) return;
    rest();
    const undo = async () => {
      await host.call({ do: "restore", persona: answer.removed });
      root.querySelector(`[data-do="open"][data-persona="${answer.removed}"]`)?.focus();
    };
    host.toast(answer.undo, { seconds: 10, action: [words.undo, undo] });
  }

  /** A new chat in which this persona answers; it is made with its first message. */
  async function chat(data) {
    await host.go(null);
    host.chat.setup = { persona: Number(data.persona) };
    await host.chat.call({ do: "show" });
    host.chat.composer?.focus();
  }

  const move = (element, by) => {
    const row = element.closest(".persona-example");
    const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (other) by < 0 ? other.before(row) : other.after(row);
    element.focus();
  };

  host.on({
    open,
    save,
    cancel: () => close(),
    pick: () => part("file").click(),
    choose: () => part("picture").click(),
    duplicate: (data) => host.call({ do: "duplicate", persona: Number(data.persona) }),
    export: (data) => host.call({ do: "export", persona: Number(data.persona) }),
    remove,
    try: attempt,
    turn: (_, element) => element.setAttribute("aria-checked", String(element.getAttribute("aria-checked") !== "true")),
    more: () => {
      const list = form().querySelector("ol.persona-examples");
      list.append(form().querySelector("template").content.cloneNode(true));
      list.lastElementChild.querySelector("textarea").focus();
    },
    rise: (_, element) => move(element, -1),
    fall: (_, element) => move(element, 1),
    drop: (_, element) => { element.closest(".persona-example").remove(); root.querySelector('[data-do="more"]').focus(); },
    chat,
  });
  root.addEventListener("change", async (event) => {
    if (event.target === part("file")) { await take([...part("file").files]); part("file").value = ""; }
    if (event.target === part("picture")) { if (part("picture").files[0]) await picture(part("picture").files[0]); part("picture").value = ""; }
    if (event.target.type === "radio") event.target.closest("fieldset").querySelector(".checks").hidden = event.target.value === "all";
    if (event.target.dataset.field === "model") {
      const answer = await host.call({ do: "takes", model: event.target.value });
      if (answer.takes) greyed(answer.takes);
    }
  });
  root.addEventListener("input", (event) => {
    if (event.target === part("emoji")) pictured(event.target.value.trim());
    if (event.target.matches("[data-field][aria-invalid]")) { // what is being mended is not wrong any more, until it is saved
      event.target.removeAttribute("aria-invalid");
      const problem = form().querySelector(`[data-problem="${CSS.escape(event.target.dataset.field)}"]`);
      if (problem) { problem.hidden = true; problem.textContent = ""; }
    }
  });
  root.addEventListener("keydown", (event) => {
    if (event.target === part("question") && event.key === "Enter") { event.preventDefault(); root.querySelector('[data-do="try"]').click(); }
    if (event.key === "Escape" && form()) { // the same key would close the question that `close` asks
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  dropping(null, () => shown() && !form(), take);
  addEventListener("beforeunload", (event) => { if (changed()) event.preventDefault(); });
}
