// The viewer beside the page: a document's page, its marked words in view, its print selectable.

import { on } from "./runtime.js";

const STEPS = [1, 1.4, 2, 2.8];
const place = Object.assign(document.createElement("aside"), { className: "viewer", hidden: true });
place.dataset.scope = "viewer";
let zoom = 0;
let opener = null;
export const viewer = { open: () => !place.hidden, show, close, element: place, look: null };

function show(html, { focus = true } = {}) {
  if (!place.isConnected) document.body.append(place);
  if (place.hidden) opener = document.activeElement;
  place.innerHTML = html;
  place.hidden = false;
  document.documentElement.dataset.viewing = "";
  const leaf = place.querySelector(".leaf");
  if (!leaf) {
    place.querySelector("input")?.focus();
    return;
  }
  const image = leaf.querySelector("img");
  if (image) {
    image.addEventListener("load", () => { ink(leaf); reveal(); }, { once: true });
    image.addEventListener("error", () => locked(), { once: true });
  }
  scale();
  if (focus) place.querySelector(".viewer-page").focus({ preventScroll: true });
}

function close() {
  place.hidden = true;
  place.innerHTML = "";
  delete document.documentElement.dataset.viewing;
  if (opener?.isConnected) opener.focus({ preventScroll: true });
}

/** The first marked words in the middle of what is seen. */
function reveal() {
  const page = place.querySelector(".viewer-page");
  const mark = place.querySelector(".box, mark");
  if (!page) return;
  if (!mark) { page.scrollTop = 0; return; }
  const seen = page.getBoundingClientRect();
  const box = mark.getBoundingClientRect();
  page.scrollTop += box.top - seen.top - seen.height * 0.35;
  page.scrollLeft += box.left - seen.left - seen.width * 0.2;
}

/** Lay each line's letters over its print, so that selecting on the picture selects the text. */
function ink(leaf) {
  const lines = [...leaf.querySelectorAll(".ink")];
  for (const line of lines) line.style.fontSize = `${line.clientHeight * 0.85}px`;
  const widths = lines.map((line) => [line.clientWidth, line.scrollWidth, line]);
  for (const [box, text, line] of widths) if (text > 0) line.style.transform = `scaleX(${box / text})`;
}

function scale(step = 0) {
  zoom = Math.min(STEPS.length - 1, Math.max(0, zoom + step));
  place.style.setProperty("--zoom", STEPS[zoom]);
  for (const [name, end] of [["zoom-out", 0], ["zoom-in", STEPS.length - 1]])
    for (const button of place.querySelectorAll(`[data-do="${name}"]`)) button.disabled = zoom === end;
  const leaf = place.querySelector(".leaf");
  const image = leaf?.querySelector("img");
  if (image && zoom > 1 && image.src.includes("width=1200")) {
    image.src = image.src.replace("width=1200", "width=2000");
    image.addEventListener("load", () => { ink(leaf); }, { once: true });
  }
  if (leaf) { ink(leaf); reveal(); }
}

async function locked() {
  const button = place.querySelector('[data-do="page"]');
  const number = place.querySelector("img")?.src.match(/page\/(\d+)\/(\d+)/);
  if (button && number) viewer.look?.({ document: +number[1], number: +number[2], check: true });
}

on("viewer", {
  "viewer-close": close,
  "zoom-in": () => scale(1),
  "zoom-out": () => scale(-1),
});
addEventListener("resize", () => { const leaf = place.querySelector(".leaf"); if (leaf) ink(leaf); });
