// A report dropped anywhere, or chosen: sent with its progress shown, then on to how it was understood.

const UNIT = 1e6;

/** Sends one file; the page that comes of it is opened, what is wrong is told where it was dropped. */
function send(file, panel) {
  const bar = panel.querySelector("progress");
  const said = panel.querySelector("[data-said]");
  const problem = panel.querySelector("[data-problem]");
  const limit = Number(panel.dataset.limit || Infinity);
  problem.hidden = true;
  if (file.size > limit) {
    problem.textContent = panel.dataset.tooLarge;
    problem.hidden = false;
    return;
  }
  panel.classList.add("is-busy");
  const form = new FormData();
  form.append("file", file, file.name);
  const request = new XMLHttpRequest();
  request.open("POST", panel.dataset.to ?? "/campaigns/new");
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("HX-Current-URL", location.href);
  request.setRequestHeader("X-CSRF-Token", document.body.dataset.csrf ?? "");
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    bar.max = event.total;
    bar.value = event.loaded;
    said.textContent = `${file.name} · ${(event.loaded / UNIT).toFixed(1)} / ${(event.total / UNIT).toFixed(1)} MB`;
    if (event.loaded === event.total) {
      bar.removeAttribute("value");
      said.textContent = `${file.name} · ${panel.dataset.reading}`;
    }
  });
  const failed = (message) => {
    panel.classList.remove("is-busy");
    problem.textContent = message;
    problem.hidden = false;
    panel.closest("dialog")?.showModal?.();
  };
  request.addEventListener("load", () => {
    const next = request.getResponseHeader("HX-Redirect");
    if (next) {
      location.assign(next);
      return;
    }
    failed(request.getResponseHeader("X-Problem") ? decodeURIComponent(request.getResponseHeader("X-Problem")) : request.statusText);
  });
  request.addEventListener("error", () => failed(panel.dataset.broken));
  request.send(form);
}

/** Where a file was dropped that is not on the page of new campaigns: that page is opened with it. */
function panelOf() {
  return document.querySelector("[data-upload]");
}

function hasFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

/** Takes a file anywhere on the page, where its reader may add campaigns. */
export function acceptDrops() {
  const panel = panelOf();
  if (!document.body.dataset.drop || !panel) return;
  const input = panel.querySelector("input[type=file]");
  input.addEventListener("change", () => {
    if (input.files.length) send(input.files[0], panel);
  });
  panel.querySelector("[data-submit]")?.remove();
  let depth = 0;
  const over = (is) => document.body.classList.toggle("is-dropping", is);
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    over(true);
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth -= 1;
    over(depth > 0);
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    const [file] = event.dataTransfer.files;
    panel.scrollIntoView({ block: "nearest" });
    if (file) send(file, panel);
  });
}
