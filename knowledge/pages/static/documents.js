// The documents page: its list, its search, and every look into a page, whoever asks for it.

import { confirmed, draw, dropping, mounted, on, toast } from "./runtime.js";
import { viewer } from "./viewer.js";

const state = { stamp: "", busy: false, server: null, upload: null, root: null };
const shown = () => document.documentElement.dataset.view === "documents";
const number = (data) => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Number(value)]));

async function call(payload) {
  const answer = await state.server.documents_call(payload);
  if (answer.error) toast(answer.error, { kind: "bad", seconds: 8 });
  if (answer.panel) viewer.show(answer.panel);
  if (answer.stamp) state.stamp = answer.stamp;
  if ("busy" in answer) state.busy = answer.busy;
  draw(state.root, answer.regions);
  return answer;
}

async function look({ document: id, number: page, start = 0, end = 0, password = "", check = false }) {
  await ready;
  return call({ do: "page", document: +id, number: +page, start: +start, end: +end, password, check });
}

/** `words`: the sentences this script says; `asking(document)`: begin a chat about one. */
export async function documents({ words, asking }) {
  await ready;
  const { root } = state;
  const remove = async (data) => {
    const title = words.remove_title.replace("{name}", data.name);
    if (await confirmed(title, words.remove_text, words.remove, words.cancel)) call({ do: "remove", ...number({ document: data.document }) });
  };
  const take = async (files) => {
    for (const file of files) {
      toast(words.uploading.replace("{name}", file.name), { seconds: 2 });
      try {
        const { path } = await state.upload(file);
        await call({ do: "add", path, name: file.name });
      } catch {
        toast(words.upload_failed.replace("{name}", file.name), { kind: "bad", seconds: 8 });
      }
    }
  };
  on("documents", {
    pick: () => root.querySelector('input[type="file"]').click(),
    cancel: (data) => call({ do: "cancel", arrival: +data.arrival }),
    dismiss: (data) => call({ do: "dismiss", arrival: +data.arrival }),
    retry: (data) => call({ do: "retry", document: +data.document }),
    password: (data, form) => call({ do: "password", document: +data.document, password: form.elements.password.value }),
    remove,
    "ask-about": (data) => asking(+data.document),
  });
  root.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    take([...event.target.files]);
    event.target.value = "";
  });
  let typed = 0;
  root.addEventListener("input", (event) => {
    if (event.target.name !== "library-search") return;
    clearTimeout(typed);
    typed = setTimeout(() => call({ do: "search", text: event.target.value }), 250);
  });
  dropping(document.querySelector(".dropzone"), shown, take);
  const turn = async () => {
    if (shown() && !document.hidden) await call({ do: "show", stamp: state.stamp }).catch(() => {});
    setTimeout(turn, state.busy ? 400 : 1500);
  };
  turn();
  return { refresh: () => call({ do: "show", stamp: "" }) };
}

const ready = mounted("documents").then(async ({ element, server, upload }) => {
  const root = element.querySelector(".documents-page");
  Object.assign(state, { server, upload, root });
  root.dataset.scope = "documents";
  document.body.append(root);
  root.innerHTML = await server.documents_shell({});
});
viewer.look = look;
on("any", {
  page: (data, element) => {
    const password = element.elements?.password?.value ?? "";
    look({ ...data, password });
  },
});
