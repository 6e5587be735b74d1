// The tools page: switches, the web's engine, MCP servers. Everything shown is drawn by the server.

export function page(host) {
  const { root, words } = host;

  async function busy(element, payload) {
    element.disabled = true; // a server may take a while to start; twice is once too many
    element.setAttribute("aria-busy", "true");
    const answer = await host.call(payload);
    element.disabled = false;
    element.removeAttribute("aria-busy");
    return answer;
  }

  host.on({
    switch: ({ name, on }) => host.call({ do: "switch", name, on: Boolean(on) }),
    web: ({ on }) => host.call({ do: "web", on: Boolean(on) }),
    enable: ({ name, on }) => host.call({ do: "enable", name, on: Boolean(on) }),
    test: ({ name }, element) => busy(element, { do: "test", name }),
    need: ({ name }, form) => host.call({ do: "need", name, value: form.elements.value.value }),
    async add(_, form) {
      const config = form.elements.config.value;
      const answer = await busy(form.querySelector("button"), { do: "add", config });
      if (answer.added && form.elements.config.value === config) form.reset();
    },
    async remove({ name }) {
      const answer = await host.call({ do: "remove", name });
      if (answer.error) return;
      root.querySelector('[name="config"]').focus(); // the button that was pressed is gone
      const undo = [words.undo, () => host.call({ do: "restore", name })];
      host.toast(words.tools_removed.replace("{name}", name), { action: undo, seconds: 10 });
    },
  });

  root.addEventListener("change", (event) => {
    if (event.target.matches('[data-change="engine"]')) host.call({ do: "engine", name: event.target.value });
  });
}
