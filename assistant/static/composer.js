// Writing a message and adding files. What is being written is kept per chat, so that a reload loses no word of it.

import { dropping, on, toast } from "/afina/static/knowledge/runtime.js";
import { mentions } from "./mentions.js";

export function composer(page) {
  const form = page.root.querySelector(".composer");
  const area = form.querySelector("textarea");
  const files = form.querySelector('input[type="file"]');
  const tray = Object.assign(document.createElement("div"), { className: "files uploads" });
  page.root.querySelector(".files").after(tray);
  let uploads = Promise.resolve();
  mentions(page, area); // its keys come first

  const key = () => `afina-draft-${page.conversation ?? "new"}`;
  const grow = () => {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
    form.classList.toggle("empty", !area.value.trim());
  };
  const keep = () => { try { area.value ? localStorage.setItem(key(), area.value) : localStorage.removeItem(key()); } catch { /* storage is off */ } };
  const restore = () => { try { area.value = localStorage.getItem(key()) ?? ""; } catch { area.value = ""; } grow(); };

  async function send() {
    const text = area.value.trim();
    if (!text || page.root.dataset.writing) return;
    area.value = "";
    keep();
    grow();
    page.root.dataset.writing = "yes"; // at once: a second Enter sends nothing twice
    await uploads;
    page.pin(true);
    const answer = await page.call({ do: "send", text, ...page.next }).catch(() => null);
    if (answer && !answer.error) { page.pin(true); page.settings.sent(); return; }
    page.root.dataset.writing = "";
    area.value = text; // refused: nothing that was written is lost
    keep();
    grow();
  }

  function take(chosen) {
    uploads = chosen.reduce((before, file) => before.then(() => add(file)), uploads);
  }

  async function add(file) {
    const chip = Object.assign(document.createElement("div"), { className: "chip file-chip" });
    const words = Object.assign(document.createElement("span"), { className: "chip-words" });
    const name = Object.assign(document.createElement("strong"), { textContent: page.words.uploading.replace("{name}", file.name) });
    words.append(name, document.createElement("progress"));
    chip.append(words);
    tray.append(chip);
    try {
      const { path } = await page.upload(file);
      await page.call({ do: "add", path, name: file.name });
    } catch {
      toast(page.words.upload_failed.replace("{name}", file.name), { kind: "bad", seconds: 8 });
    }
    chip.remove();
  }

  area.addEventListener("input", () => { grow(); keep(); });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  });
  files.addEventListener("change", () => { take([...files.files]); files.value = ""; });
  dropping(document.querySelector(".dropzone"), () => document.documentElement.dataset.view === "chat", take);
  on("chat", {
    send,
    pick: () => files.click(),
    stop: () => page.call({ do: "stop", message: page.writing ?? 0 }),
    example: (data) => { area.value = data.text; grow(); send(); },
    cancel: (data) => page.call({ do: "cancel", arrival: +data.arrival }),
    dismiss: (data) => page.call({ do: "dismiss", arrival: +data.arrival }),
    password: (data, element) => page.call({ do: "password", arrival: +data.arrival, password: element.elements.password.value }),
    detach: (data) => page.call({ do: "detach", document: +data.document }),
    "answer-now": () => page.call({ do: "answer-now" }),
  });
  grow();
  return { focus: () => area.focus(), restore };
}
