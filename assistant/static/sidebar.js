// The list of chats: open, search, rename in place, delete with a way back. Also language, colours and the sheet itself.

import { on, toast } from "/afina/static/knowledge/runtime.js";

export function sidebar(page) {
  const sheet = document.documentElement;
  const narrow = () => innerWidth < 760;
  const search = page.root.querySelector('[name="chat-search"]');

  function toggle(open = sheet.dataset.sidebar === "closed") {
    if (open) delete sheet.dataset.sidebar;
    else sheet.dataset.sidebar = "closed";
    if (!narrow()) try { localStorage.setItem("afina-sidebar", open ? "open" : "closed"); } catch { /* storage is off */ }
  }

  function rename(data, element) {
    const row = element.closest("li");
    const link = row.querySelector("a");
    const input = Object.assign(document.createElement("input"), { value: link.textContent, maxLength: 200, className: "renaming" });
    input.setAttribute("aria-label", element.title);
    row.dataset.localHeld = "";
    link.hidden = true;
    link.after(input);
    input.select();
    let done = false;
    const end = (save) => {
      if (done) return;
      done = true;
      const title = input.value.trim();
      input.remove();
      link.hidden = false;
      delete row.dataset.localHeld;
      if (save && title && title !== link.textContent) page.call({ do: "rename", target: +data.conversation, title });
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") { event.stopPropagation(); end(false); }
    });
    input.addEventListener("blur", () => end(true));
  }

  async function remove(data) {
    const target = +data.conversation;
    const here = target === page.conversation;
    await page.call({ do: "delete", target });
    if (here) await page.go(null);
    const back = () => page.call({ do: "restore", target });
    toast(page.words.deleted, { action: [page.words.undo, back], seconds: 8 });
  }

  let typed = 0;
  search.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => { page.search = search.value.trim(); page.call({ do: "show" }); }, 200);
  });
  const leave = () => { if (narrow()) toggle(false); };
  on("any", { sidebar: () => toggle() });
  on("chat", {
    new: () => { leave(); page.go(null); },
    open: (data) => { leave(); page.go(+data.conversation); },
    view: (data) => { leave(); page.view(data.view); },
    rename,
    delete: remove,
    theme: () => {
      try { localStorage.setItem("afina-theme", sheet.dataset.theme === "dark" ? "light" : "dark"); } catch { /* storage is off */ }
      window.afina.paint();
    },
    language: () => {
      const next = sheet.lang === "es" ? "en" : "es";
      document.cookie = `afina_language=${next}; path=/; max-age=31536000; samesite=strict`;
      location.reload();
    },
  });
  page.toggleSidebar = toggle;
}
