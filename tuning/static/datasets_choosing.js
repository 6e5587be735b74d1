// The list of examples: which are chosen, and what the keys do. Chosen ones are acted on; where none is, all that pass
// the filter are, and the bar says which of both it is.

export function choosing(host, act) {
  const { root, words } = host;
  const list = () => root.querySelector('[data-part="examples"]');
  const boxes = () => [...(list()?.querySelectorAll(':scope > li > input[type="checkbox"]') ?? [])];
  const chosen = () => boxes().filter((box) => box.checked).map((box) => Number(box.value));

  function shown() {
    const told = root.querySelector('[data-part="chosen"]');
    const all = root.querySelector('[data-part="all"]');
    if (!told || !all) return;
    const mine = chosen();
    const text = mine.length ? words.datasets_chosen.replace("{n}", mine.length) : told.dataset.every;
    if (told.textContent !== text) told.textContent = text;
    all.checked = mine.length > 0 && mine.length === boxes().length;
    all.indeterminate = mine.length > 0 && !all.checked;
  }

  function clear() {
    for (const box of boxes()) box.checked = false;
    shown();
  }

  async function decide(what, given = {}, more = {}) {
    const one = Number(given.example);
    const examples = one ? [one] : chosen();
    const answer = await act({ do: what, examples, ...more });
    if (!one && !answer.error) clear();
  }

  function tagged(what) {
    const input = root.querySelector('[data-part="tagging"] input');
    const tag = input.value.trim();
    if (!tag) return input.focus();
    input.value = "";
    return decide(what, {}, { tag });
  }

  // Keys in the list: up and down, x chooses, a approves, d drops, r opens again, Enter opens the desk (it is a link).
  const MOVES = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };
  const DECIDES = { a: "approve", d: "drop", r: "reopen" };
  const GO = 1500; // milliseconds to press the second of the app's two keys: "g" and "d" leads to the documents
  let going = -GO;
  root.addEventListener("keydown", (event) => {
    const row = event.target.closest?.('[data-part="examples"] > li');
    const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (!row || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (performance.now() - going < GO) return;
    if (event.key === "g") { going = performance.now(); return; }
    if (event.key in MOVES) {
      const next = MOVES[event.key] > 0 ? row.nextElementSibling : row.previousElementSibling;
      next?.querySelector("a").focus();
    } else if (event.key === "x") {
      const box = row.querySelector('input[type="checkbox"]');
      box.checked = !box.checked;
      shown();
    } else if (event.key in DECIDES) decide(DECIDES[event.key], { example: row.dataset.example });
    else return;
    event.preventDefault();
    event.stopPropagation(); // "d" and the like go nowhere else from here
  });
  root.addEventListener("change", ({ target }) => {
    if (target.matches('[data-part="all"]')) for (const box of boxes()) box.checked = target.checked;
    if (target.matches('[data-part="all"], [data-part="examples"] input')) shown();
  });

  return {
    shown,
    clear,
    actions: {
      approve: (given) => decide("approve", given),
      drop: (given) => decide("drop", given),
      reopen: (given) => decide("reopen", given),
      tagging: () => {
        const form = root.querySelector('[data-part="tagging"]');
        form.hidden = !form.hidden;
        if (!form.hidden) form.querySelector("input").focus();
      },
      tag: () => tagged("tag"),
      untag: () => tagged("untag"),
    },
  };
}
