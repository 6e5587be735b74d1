// The desk's keys. Most only press the button that says the same; none works while something is being written. "g" and
// the key after it belong to the app: "g p" leads to another page although "p" alone is the example before.

const GO = 1500; // milliseconds to press the second of the app's two keys
const BUTTONS = {
  a: "approve", x: "drop", r: "reopen", e: "edit", o: "insert", i: "system", m: "mask", t: "tag", s: "split", c: "merge",
  u: "undo", v: "seen", delete: "take",
};
const NEXT = ["j", "n", "arrowright"];
const BEFORE = ["k", "p", "arrowleft"];

export function keys(desk) {
  const { root, part, shown } = desk;
  const writing = (target) => target.matches?.('input, textarea, select, [contenteditable="true"]');
  let going = -GO;

  /** To another turn; one that is longer than the page is read to its end first. */
  function walk(step) {
    const scroll = part("scroll");
    const all = desk.stops();
    const here = desk.stop();
    const at = all.indexOf(here);
    if (here && document.activeElement === here) {
      const { top, bottom } = here.getBoundingClientRect();
      const frame = scroll.getBoundingClientRect();
      const left = step > 0 ? bottom - frame.bottom : frame.top - top;
      if (left > 12) return scroll.scrollBy({ top: step * Math.min(left + 12, frame.height * 0.7) });
    }
    const next = document.activeElement === here ? all[at + step] : here ?? all[0];
    if (!next) return scroll.scrollBy({ top: step * 80 });
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function inField(event) {
    const { target, key } = event;
    const control = event.ctrlKey || event.metaKey;
    const form = target.closest?.(".desk-editor");
    if (form && control && key === "Enter") return () => desk.editor.save({ keep: event.shiftKey });
    if (key !== "Escape") return null;
    if (form) return () => desk.editor.cancel();
    return () => { target.blur(); desk.focus(desk.place, false); };
  }

  addEventListener("keydown", (event) => {
    if (!shown() || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const { target } = event;
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (!root.contains(target) && (writing(target) || target.closest?.(".viewer"))) return;
    const act = (action) => { event.preventDefault(); event.stopPropagation(); action(); };
    if (writing(target) || target.closest?.(".desk-editor")) {
      const action = inField(event);
      if (action) act(action);
      return;
    }
    const soon = performance.now() - going < GO;
    going = -GO;
    if (!control && !event.altKey && key === "g") { going = performance.now(); return; }
    if (soon && !control) return;
    if (control && !event.altKey && !event.shiftKey && key === "z") return act(() => desk.undo());
    if (event.altKey && !control && (key === "arrowup" || key === "arrowdown")) {
      if (desk.ranked.movable()) act(() => desk.ranked.shift(key === "arrowup" ? -1 : 1));
      return;
    }
    if (control || event.altKey || event.metaKey) return;
    if (key === "?") return act(() => part("help").showModal());
    if (key === "/") return act(() => { desk.filters(true); root.querySelector('[name="search"]')?.focus(); });
    if (key === "f") return act(() => desk.filters());
    if (!desk.at?.example) return;
    if (key === "escape") return desk.editor.open() ? act(() => desk.editor.cancel()) : desk.ranked.pending() ? act(() => desk.ranked.forget()) : undefined;
    if (target.closest?.("summary") && (key === "enter" || key === " ")) return;
    if (NEXT.includes(key)) return act(() => desk.go(1));
    if (BEFORE.includes(key)) return act(() => desk.go(-1));
    if (key === "arrowdown" || key === "arrowup") return act(() => walk(key === "arrowdown" ? 1 : -1));
    if (/^[0-9=l]$/.test(key) && desk.ranked.key(key)) return act(() => {});
    if (key === "backspace" && desk.ranked.pending()) return act(() => desk.ranked.back());
    if (BUTTONS[key] && !event.repeat) return act(() => desk.actions[BUTTONS[key]]({}));
  }, true);

  part("help").addEventListener("click", (event) => { if (event.target === part("help")) part("help").close(); });
}
