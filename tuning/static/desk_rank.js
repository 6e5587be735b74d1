// Answers in order, and scores. Digits name answers as they stand on the page: pressed one after the other, the best first;
// "=" before a digit makes a tie. Alt with an arrow, the buttons or a hand move one answer past another.

const ENDS = ["pointerup", "pointercancel"];

export function ranking(desk) {
  const { root } = desk;
  const list = () => root.querySelector(".desk-answers[data-ranked]");
  const cards = () => [...(list()?.children ?? [])];
  const scales = {}; // dimension → "unit" | "likert", as the person last chose
  let groups = []; // answers named so far, the best first; several in one: a tie
  let tie = false; // whether the next one ties with the one before

  const number = (card) => Number(card.dataset.answer);
  const send = (order) => desk.change({ do: "rank", order });

  // ── by digits ─────────────────────────────────────────────────────────────────────────────────────────────────

  function key(pressed) {
    if (list()) return ranked(pressed);
    return root.dataset.kind === "score" && scored(pressed);
  }

  function ranked(pressed) {
    if (pressed === "=") { tie = groups.length > 0; return true; }
    const card = cards()[Number(pressed) - 1];
    if (!card) return false;
    if (groups.flat().includes(number(card))) return true;
    if (tie) groups.at(-1).push(number(card)); else groups.push([number(card)]);
    tie = false;
    const left = cards().map(number).filter((one) => !groups.flat().includes(one));
    if (root.dataset.kind === "preference" && left.length === 1) groups.push(left.splice(0));
    if (left.length) return drawn(groups) ?? true;
    send(groups);
    groups = [];
    return true;
  }

  /** Show what is named so far; without `kept` it begins anew. */
  function drawn(kept = []) {
    groups = kept;
    for (const card of cards()) {
      const at = groups.findIndex((group) => group.includes(number(card)));
      card.toggleAttribute("data-local-named", at >= 0);
      card.querySelector(".desk-key").dataset.localNamed = at >= 0 ? at + 1 : "";
    }
    for (const row of root.querySelectorAll(".desk-score")) {
      if (scales[row.dataset.dimension]) row.dataset.localScale = scales[row.dataset.dimension];
    }
  }

  function back() {
    tie = false;
    groups.at(-1)?.pop();
    drawn(groups.filter((group) => group.length));
  }

  // ── by moving ─────────────────────────────────────────────────────────────────────────────────────────────────

  const at = () => desk.stop()?.closest("[data-answer]");

  function move(answer, step) {
    const order = cards().map(number);
    const from = order.indexOf(answer);
    const to = from + step;
    if (from < 0 || to < 0 || to >= order.length) return;
    [order[from], order[to]] = [order[to], order[from]];
    groups = [];
    send(order.map((one) => [one]));
  }

  root.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (!grip || event.button) return;
    event.preventDefault();
    const card = grip.closest("[data-answer]");
    const old = cards();
    card.setAttribute("data-local-dragged", "");
    const drag = ({ clientX, clientY }) => {
      const over = document.elementFromPoint(clientX, clientY)?.closest(".desk-answer");
      if (!over || over === card || over.parentElement !== card.parentElement) return;
      const all = cards();
      if (all.indexOf(over) < all.indexOf(card)) over.before(card); else over.after(card);
    };
    const end = ({ type }) => {
      removeEventListener("pointermove", drag);
      for (const name of ENDS) removeEventListener(name, end);
      card.removeAttribute("data-local-dragged");
      const now = cards();
      if (type === "pointercancel") return list()?.replaceChildren(...old);
      if (now.some((one, place) => one !== old[place])) send(now.map((one) => [number(one)]));
    };
    addEventListener("pointermove", drag); // not on the grip: it leaves the page for a moment with its card
    for (const name of ENDS) addEventListener(name, end);
  });

  // ── scores ────────────────────────────────────────────────────────────────────────────────────────────────────

  const row = () => {
    const here = desk.stop()?.closest("[data-dimension]");
    return here ?? root.querySelector(".desk-score");
  };
  const scaleOf = (one) => one.dataset.localScale ?? one.dataset.scale;

  function scored(pressed) {
    const one = row();
    if (!one) return false;
    if (pressed === "l") { scale(one); return true; }
    const mark = Number(pressed);
    if (!Number.isInteger(mark) || mark > (scaleOf(one) === "likert" ? 5 : 1) || (scaleOf(one) === "likert" && mark < 1)) return false;
    score(one.dataset.dimension, pressed);
    return true;
  }

  function scale(one) {
    const next = scaleOf(one) === "likert" ? "unit" : "likert";
    scales[one.dataset.dimension] = next;
    one.dataset.localScale = next;
  }

  const score = (dimension, value) => desk.change({ do: "score", dimension, value: String(value) });

  root.addEventListener("change", (event) => {
    if (event.target.matches(".desk-value")) score(event.target.dataset.dimension, event.target.value);
  });
  root.addEventListener("keydown", (event) => {
    if (event.target.matches(".desk-value") && event.key === "Enter") event.target.blur();
  });

  return {
    key, back, drawn, move, score, scale,
    pending: () => groups.length > 0,
    forget: () => drawn(),
    movable: () => Boolean(list() && at()),
    shift: (step) => move(number(at()), step),
  };
}
