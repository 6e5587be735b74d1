// Runs before everything else on the page: the person's language and colours, and the list on which Gradio's
// components put themselves. Gradio chooses its words by navigator.language as soon as it starts.
(() => {
  const chosen = document.cookie.match(/(?:^|; )afina_language=(en|es)/)?.[1];
  if (chosen) {
    Object.defineProperty(navigator, "language", { get: () => chosen, configurable: true });
    Object.defineProperty(navigator, "languages", { get: () => [chosen], configurable: true });
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    let stored = null;
    try { stored = localStorage.getItem("afina-theme"); } catch { /* storage is off: follow the system */ }
    const theme = stored === "light" || stored === "dark" ? stored : dark.matches ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
    document.body?.classList.toggle("dark", theme === "dark"); // Gradio's own switch
  };
  paint();
  dark.addEventListener("change", paint);
  addEventListener("storage", paint);
  let sidebar = null;
  try { sidebar = localStorage.getItem("afina-sidebar"); } catch { /* as above */ }
  if (sidebar === "closed" || innerWidth < 760) document.documentElement.dataset.sidebar = "closed";
  const mounts = [];
  window.afina = {
    paint,
    mounts,
    mount(name, parts) {
      mounts.push([name, parts]);
      dispatchEvent(new Event("afina:mount"));
    },
  };
})();
