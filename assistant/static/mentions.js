// @name in a message: the personas whose name begins so, in a list above the caret. Accents and case do not matter.

const TOKEN = /(?:^|[\s("“«¿¡,;:])@([\p{L}\p{N}][\p{L}\p{M}\p{N} .'’_-]{0,39}|)$/u;
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function mentions(page, area) {
  const list = Object.assign(document.createElement("ul"), { className: "mentions", id: "afina-mentions", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", page.words.mention);
  area.closest(".dock").append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) area.setAttribute(name, value);
  let found = []; // the personas in the list
  let at = 0; // the one that Enter takes
  let dismissed = ""; // what stood before the caret when Escape was pressed

  const before = () => area.value.slice(0, area.selectionStart);
  const close = () => { list.hidden = true; found = []; area.setAttribute("aria-expanded", "false"); area.removeAttribute("aria-activedescendant"); };

  function look() {
    const typed = TOKEN.exec(before());
    if (!typed || area.selectionStart !== area.selectionEnd || dismissed === before()) return close();
    const begun = fold(typed[1]);
    found = page.cast.filter(({ name, handle }) => fold(name).startsWith(begun) || handle.startsWith(begun.replaceAll(" ", "-")));
    if (!found.length || (found.length === 1 && fold(found[0].name) === begun && /\s$/.test(typed[1]))) return close();
    at = Math.min(at, found.length - 1);
    draw(typed[1].length);
  }

  function draw(length) {
    list.replaceChildren(...found.map((persona, index) => {
      const item = Object.assign(document.createElement("li"), { id: `afina-mention-${index}` });
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(index === at));
      const face = Object.assign(document.createElement("span"), { className: "face" });
      if (persona.picture.startsWith("/")) face.append(Object.assign(document.createElement("img"), { src: persona.picture, alt: "" }));
      else face.textContent = persona.picture || persona.name[0];
      item.append(face, Object.assign(document.createElement("b"), { textContent: persona.name }));
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(index); });
      return item;
    }));
    list.hidden = false;
    list.style.left = `${Math.min(left(area.selectionStart - length - 1), area.closest(".dock").clientWidth - 230)}px`;
    list.style.bottom = `${area.closest(".dock").getBoundingClientRect().bottom - area.getBoundingClientRect().top + 10}px`;
    area.setAttribute("aria-expanded", "true");
    area.setAttribute("aria-activedescendant", `afina-mention-${at}`);
  }

  /** Where a character stands, from the dock's left edge: measured on a copy of the text with the same type. */
  function left(index) {
    const style = getComputedStyle(area);
    const copy = document.createElement("div");
    for (const name of ["font", "letterSpacing", "padding", "border", "boxSizing", "lineHeight"]) copy.style[name] = style[name];
    Object.assign(copy.style, { position: "fixed", left: "-200vw", width: `${area.clientWidth}px`, whiteSpace: "pre-wrap", overflowWrap: "anywhere" });
    const mark = document.createElement("span");
    copy.append(area.value.slice(0, index), mark);
    document.body.append(copy);
    const place = mark.offsetLeft;
    copy.remove();
    return area.getBoundingClientRect().left - area.closest(".dock").getBoundingClientRect().left + place;
  }

  function take(index) {
    const typed = TOKEN.exec(before());
    const start = area.selectionStart - typed[1].length;
    area.setRangeText(`${found[index].name} `, start, area.selectionStart, "end");
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    close();
    area.focus();
  }

  area.addEventListener("input", () => { dismissed = ""; at = 0; look(); });
  area.addEventListener("click", look);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    const act = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => take(at), Tab: () => take(at), Escape: () => { dismissed = before(); close(); } }[event.key];
    if (!act || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Enter does not send, Escape stops no answer
    act();
  });

  function move(step) {
    at = (at + step + found.length) % found.length;
    look();
  }
}
