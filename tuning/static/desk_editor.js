// A turn in other words. The form is the server's; what is typed is kept in the browser until it is saved or given up, so
// that neither a lost connection nor a reload nor another tab takes it away.

const DRAFT = "afina-desk-draft-"; // + example: {place, new, of, turn}

export function editing(desk) {
  const { host, root, words } = desk;
  const form = () => root.querySelector(".desk-editor");
  const part = (name) => form().querySelector(`[data-part="${name}"]`);
  let before = ""; // what stood in the form when it was opened

  // ── opening ───────────────────────────────────────────────────────────────────────────────────────────────────

  async function begin(place, { fresh = false } = {}) {
    if (!desk.at?.example || !place) return null;
    if (form()?.dataset.place === place && !fresh) return area()?.focus();
    if (!(await settled())) return null;
    const example = desk.at.example;
    const answer = await desk.send({ do: "editor", place, new: fresh });
    if (answer.error || answer.problems || desk.at?.example !== example || form()) return null;
    put(answer.editor, place, fresh);
    before = JSON.stringify(read());
    return form();
  }

  function put(html, place, fresh) {
    const made = document.createElement("template");
    made.innerHTML = html;
    const editor = made.content.firstElementChild;
    const at = fresh ? `turns.${Number(place.split(".")[1]) - 1}` : place;
    const turn = root.querySelector(`.desk-turn[data-place="${at}"]`);
    const home = turn && !fresh ? turn : Object.assign(document.createElement("section"), { className: "desk-turn" });
    if (home !== turn) {
      home.setAttribute("data-local-made", "");
      const first = root.querySelector('[data-part="turns"]');
      if (turn) turn.after(home);
      else if (first) first.before(home);
      else root.querySelector(".desk-example > header").after(home); // above the tokens
    }
    home.setAttribute("data-local-held", "");
    home.append(editor);
    const text = area();
    text?.focus({ preventScroll: true });
    text?.setSelectionRange(text.value.length, text.value.length);
    editor.scrollIntoView({ block: "nearest" });
  }

  const area = () => form()?.querySelector('[data-field="text"]');

  function add(place) {
    const turns = desk.stops().filter((one) => one.dataset.place?.startsWith("turns."));
    const after = place?.startsWith("turns.") ? place : turns.at(-1)?.dataset.place;
    if (!after || place?.startsWith("answers.")) return host.toast(words.desk_insert_where, { seconds: 3 });
    return begin(`turns.${Number(after.split(".")[1]) + 1}`, { fresh: true });
  }

  function system() {
    const there = desk.stops().find((one) => one.dataset.role === "system");
    if (root.dataset.kind === "text") return null;
    return begin(there?.dataset.place ?? "turns.0", { fresh: !there });
  }

  // ── reading and filling ───────────────────────────────────────────────────────────────────────────────────────

  const value = (from, name) => from.querySelector(`[data-field="${name}"]`)?.value ?? "";

  function read() {
    const editor = form();
    const calls = [...editor.querySelectorAll('[data-part="calls"] > [data-call]')].map((one) => ({
      name: value(one, "call-name"), id: value(one, "call-id"), arguments: value(one, "call-arguments"),
      was: one.dataset.call === "" ? null : Number(one.dataset.call),
    }));
    const role = value(editor, "role") || "assistant";
    return { role, text: value(editor, "text"), name: value(editor, "name"), call_id: value(editor, "call_id"), calls };
  }

  function fill(turn) {
    const editor = form();
    for (const name of ["role", "text", "name", "call_id"]) {
      const field = editor.querySelector(`[data-field="${name}"]`);
      if (field) field.value = turn[name];
    }
    editor.dataset.role = turn.role;
    const list = editor.querySelector('[data-part="calls"]');
    if (!list) return;
    const had = Object.fromEntries([...list.children].map((one) => [one.dataset.call, one]));
    list.replaceChildren(...turn.calls.map((call) => {
      const one = had[String(call.was ?? "")] ?? fresh();
      for (const name of ["name", "id", "arguments"]) one.querySelector(`[data-field="call-${name}"]`).value = call[name];
      return one;
    }));
  }

  const fresh = () => form().querySelector("template").content.firstElementChild.cloneNode(true);
  function moreCalls() {
    const one = fresh();
    form().querySelector('[data-part="calls"]').append(one);
    one.querySelector("input").focus();
    keep();
  }
  function fewerCalls(element) {
    element.closest("[data-call]").remove();
    form().querySelector('[data-do="more-calls"]').focus();
    keep();
  }

  // ── saving ────────────────────────────────────────────────────────────────────────────────────────────────────

  async function save({ keep: pair = false, anyway = false } = {}) {
    const editor = form();
    if (!editor || editor.dataset.saving) return;
    editor.dataset.saving = "yes";
    const place = editor.dataset.place;
    const asks = {
      do: "write", place, new: editor.dataset.new === "yes", of: anyway ? "" : editor.dataset.of, turn: read(),
      keep: pair && Boolean(editor.querySelector('[data-do="keep"]')),
    };
    const answer = await desk.act(asks, (given) => {
      delete editor.dataset.saving;
      if (!given.saved) return;
      desk.noted();
      close();
    });
    if (answer.saved) return desk.focus(place);
    if (answer.problems) told(answer.problems);
    else if (answer.conflict) conflict(answer.conflict);
    else if (answer.error) told([{ field: "", said: words.desk_kept }]);
  }

  function told(problems) {
    for (const old of form().querySelectorAll("[data-problem]")) { old.hidden = true; old.textContent = ""; }
    for (const old of form().querySelectorAll("[aria-invalid]")) old.removeAttribute("aria-invalid");
    let first = null;
    for (const { field, said } of problems) {
      const call = /^calls\.(\d+)\.(\w+)$/.exec(field);
      const home = call ? form().querySelectorAll('[data-part="calls"] > [data-call]')[call[1]] : form();
      const name = call ? `call-${call[2]}` : field;
      const note = home?.querySelector(`[data-problem="${name}"]`) ?? form().querySelector('[data-problem=""]');
      note.hidden = false;
      note.textContent = said;
      const input = home?.querySelector(`[data-field="${name}"]`);
      input?.setAttribute("aria-invalid", "true");
      first ??= input ?? note;
    }
    first?.scrollIntoView({ block: "nearest" });
    first?.focus?.({ preventScroll: true });
  }

  /** The example is another one meanwhile: nothing is overwritten unless the person says so. */
  function conflict(said = words.desk_conflict) {
    const note = part("conflict");
    if (!note.hidden) return;
    note.hidden = false;
    const anyway = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: words.desk_save_anyway });
    anyway.dataset.do = "save-anyway";
    note.replaceChildren(said, " ", anyway);
    note.scrollIntoView({ block: "nearest" });
  }

  // ── leaving ───────────────────────────────────────────────────────────────────────────────────────────────────

  const touched = () => Boolean(form()) && JSON.stringify(read()) !== before;

  function close() {
    const home = form()?.closest(".desk-turn");
    if (!home) return;
    forget();
    form().remove();
    home.removeAttribute("data-local-held");
    if (home.hasAttribute("data-local-made")) home.remove();
  }

  /** Given up at once; what was typed can be had back. */
  function cancel() {
    if (!form()) return;
    const given = touched() ? draft() : null;
    const place = form().dataset.new ? desk.place : form().dataset.place;
    const stale = !part("conflict").hidden;
    close();
    if (given) host.toast(words.desk_given_up, { seconds: 6, action: [words.desk_bring_back, () => again(given)] });
    if (stale) desk.act({ do: "open" }).then(() => desk.focus(place));
    else desk.focus(place);
  }

  /** Before something else is done: whether one may. */
  async function settled() {
    if (touched() && !(await host.confirmed(words.desk_unsaved, words.desk_unsaved_text, words.desk_leave, words.desk_stay))) {
      area()?.focus();
      return false;
    }
    close();
    return true;
  }

  // ── what is typed is kept ─────────────────────────────────────────────────────────────────────────────────────

  const key = () => DRAFT + desk.at.example;
  const draft = () => ({ example: desk.at.example, place: form().dataset.place, new: form().dataset.new === "yes", of: form().dataset.of, turn: read() });

  function keep() {
    try { if (touched()) localStorage.setItem(key(), JSON.stringify(draft())); else localStorage.removeItem(key()); } catch { /* storage is off: it is still in the form */ }
  }

  function forget() {
    try { localStorage.removeItem(key()); } catch { /* as above */ }
  }

  /** After a reload: what was being typed here. */
  async function restore() {
    let given = null;
    try { given = JSON.parse(localStorage.getItem(key())); } catch { /* nothing is kept */ }
    if (given && !form() && (await again(given))) host.toast(words.desk_again, { seconds: 5 });
  }

  async function again(given) {
    if (desk.at?.example !== given.example || !(await begin(given.place, { fresh: given.new }))) return false;
    const now = form().dataset.of;
    fill(given.turn);
    form().dataset.of = given.of;
    if (given.of !== now) conflict();
    keep();
    return true;
  }

  root.addEventListener("input", (event) => {
    if (!event.target.closest(".desk-editor")) return;
    event.target.removeAttribute("aria-invalid"); // what is being mended is not wrong any more, until it is saved
    const note = event.target.parentElement.querySelector("[data-problem]");
    if (note) { note.hidden = true; note.textContent = ""; }
    keep();
  });
  root.addEventListener("change", (event) => {
    if (event.target.matches('.desk-editor [data-field="role"]')) form().dataset.role = event.target.value;
  });

  return { begin, add, system, save, cancel, settled, restore, moreCalls, fewerCalls, changed: () => form() && conflict(), open: () => Boolean(form()) };
}
