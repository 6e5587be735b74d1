// A file of the server's, in pieces, so that its size does not matter; saved by the browser when it is whole.

const MB = 1_000_000;

export async function saved(host, here, { file, name, size }) {
  const parts = [];
  let done = 0;
  for (let offset = 0; offset !== null;) {
    const answer = await host.call({ do: "piece", at: here(), file, offset });
    if (answer.error) return;
    const bytes = Uint8Array.from(atob(answer.data), (letter) => letter.charCodeAt(0));
    parts.push(bytes);
    done += bytes.length;
    offset = answer.next;
    if (offset !== null) told(host, name, done, Number(size));
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function told(host, name, done, of) {
  const text = host.words.datasets_saving.replace("{name}", name).replace("{done}", Math.round(done / MB)).replace("{of}", Math.round(of / MB));
  host.toast(text, { seconds: 1 });
}
