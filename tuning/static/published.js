// The room of published models, a part of the training page: versions gone back to, exports, a model from elsewhere.

import { saved } from "./datasets_saving.js";

/** What its buttons do. `act`: an action with the address; `here`: the address. */
export function published(host, act, here) {
  const { root, words } = host;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const field = (name) => part("import-model").querySelector(`[data-field="${name}"]`);
  let pending = false;

  async function once(work) {
    if (pending) return;
    pending = true;
    try {
      await work();
    } finally {
      pending = false;
    }
  }

  async function undoable(payload) {
    const answer = await act(payload);
    root.querySelector(`[data-key="v${payload.persona}-${payload.version}"]`)?.focus(); // its button is gone
    for (const old of document.querySelectorAll(".toast[data-undoes]")) old.remove(); // it would take back something else
    if (!answer.undo) return;
    host.toast(answer.undo.said, { seconds: 10, action: [words.undo, () => undoable(answer.undo.do)] });
    document.querySelector(".toasts").lastElementChild.dataset.undoes = "";
  }

  async function fetched(given) {
    const answer = await act({ do: "pack", export: given.export });
    if (answer.fetch) await saved(host, here, answer.fetch);
  }

  async function removed(given) {
    const sure = await host.confirmed(words.published_remove_title, words.published_remove_text, words.published_remove, words.published_remove_not);
    if (sure) await act({ do: "remove-export", export: given.export });
  }

  function told(problem) {
    const place = part("import-model").querySelector("[data-problem]");
    place.hidden = !problem;
    place.textContent = problem;
  }

  /** Empty fields are asked for first; the browser says which one. */
  async function brought(from) {
    if (!field("persona").value.trim()) {
      told(words.published_name_first);
      return field("persona").focus();
    }
    if (!from.path && !from.folder) {
      told(words.published_path_first);
      return field("folder").focus();
    }
    told("");
    const answer = await act({ do: "import", persona: field("persona").value.trim(), base: field("base").value.trim(), ...from });
    if (answer.error) return told(answer.error);
    for (const name of ["persona", "folder", "base"]) field(name).value = "";
  }

  root.addEventListener("change", async ({ target }) => {
    if (target !== part("model-file") || !target.files.length) return;
    const [file] = target.files;
    target.value = "";
    if (!field("persona").value.trim()) field("persona").value = file.name.replace(/\.zip$/i, "").replace(/[^\p{L}\p{N} .'’-]+/gu, " ").trim().slice(0, 40);
    try {
      const { path } = await host.upload(file);
      await once(() => brought({ path, name: file.name }));
    } catch {
      host.toast(words.datasets_upload_failed.replace("{name}", file.name), { kind: "bad", seconds: 12 });
    }
  });

  return {
    "go-to": (given) => once(() => undoable({ do: "go-to", persona: Number(given.persona), version: Number(given.version) })),
    export: (given, form) => once(() => act({ do: "export", persona: Number(given.persona), version: Number(given.version), way: form.querySelector('[data-field="way"]').value })),
    import: () => once(() => brought({ folder: field("folder").value.trim() })),
    "pick-model": () => part("model-file").click(),
    "end-work": (given) => act({ do: "end-work", work: Number(given.work) }),
    "dismiss-work": (given) => act({ do: "dismiss-work", work: Number(given.work) }),
    "remove-export": removed,
    fetch: (given) => once(() => fetched(given)),
  };
}
