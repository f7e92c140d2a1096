// What every page does beyond links and forms. Without it all of them still read, write and download.
import { acceptDrops } from "./upload.js";

const root = document.documentElement;

/** Times in the reader's zone; the address of the moment stays in `datetime`, UTC in the title. */
function localTimes(within) {
  const format = new Intl.DateTimeFormat(root.lang, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  const day = new Intl.DateTimeFormat(root.lang, { day: "numeric", month: "short", year: "numeric" });
  for (const time of within.querySelectorAll("time[datetime]:not([title])")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    time.title = time.textContent;
    time.textContent = ("day" in time.dataset ? day : format).format(moment);
  }
  // A choice holds text alone: the moment stands at its head.
  for (const option of within.querySelectorAll("option[data-when]")) {
    option.textContent = option.textContent.replace(/^.* UTC/u, format.format(new Date(option.dataset.when)));
    option.removeAttribute("data-when");
  }
}

/** Light, dark, or as the system says: remembered for a year. */
function themeSwitch() {
  const group = document.querySelector(".theme-switch");
  if (!group) return;
  const show = () => {
    for (const button of group.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === root.dataset.theme));
    }
  };
  group.hidden = false;
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const theme = button.dataset.setTheme;
    root.dataset.theme = theme;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    root.setAttribute("data-bs-theme", theme || (dark ? "dark" : "light"));
    document.cookie = `caliber_theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=lax`;
    document.dispatchEvent(new CustomEvent("caliber:theme"));
    show();
  });
  show();
}

/** What was just done is told once: a reload does not tell it again. */
function forgetNotice() {
  const address = new URL(location.href);
  if (!address.searchParams.has("done")) return;
  address.searchParams.delete("done");
  history.replaceState(history.state, "", address);
}

/** The session's token goes along with every write that htmx sends. */
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.body.dataset.csrf;
  if (token) event.detail.headers["X-CSRF-Token"] = token;
});

/** Answers that say what is wrong are shown like others. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if ([409, 415, 422].includes(event.detail.xhr.status)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

/** What is wrong where a part of the page was asked for is told above all of it, until the next answer. */
document.addEventListener("htmx:responseError", (event) => {
  const { elt, xhr } = event.detail;
  if (elt.querySelector?.("[data-problem]")) return;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const told = page.querySelector("main .sentence")?.textContent;
  const content = document.querySelector(".content-inner");
  if (!told || !content) return;
  document.querySelector("[data-went-wrong]")?.remove();
  const alert = document.createElement("p");
  alert.className = "alert alert-danger";
  alert.role = "alert";
  alert.dataset.wentWrong = "";
  alert.textContent = told;
  content.prepend(alert);
});
document.addEventListener("htmx:afterSwap", () => document.querySelector("[data-went-wrong]")?.remove());

document.addEventListener("htmx:afterSwap", (event) => localTimes(event.detail.target ?? document));

/** A stream that has ended leads on. */
document.addEventListener("htmx:sseClose", (event) => {
  const next = event.target.dataset?.next;
  if (event.detail?.type === "message" && next) location.replace(next);
});

/** Forms that ask before they delete. */
document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

/** Forms of filters act at once. */
document.addEventListener("change", (event) => {
  if (event.target.closest("form[data-submit-on-change]")) event.target.form.requestSubmit();
});

/** What is to be copied, by one click. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).value);
  button.classList.add("is-done");
});

/** What is drawn in a colour that is being chosen. */
document.addEventListener("input", (event) => {
  const painted = event.target.dataset?.paints;
  if (painted) document.querySelector(painted).setAttribute("fill", event.target.value);
});

/** Links that are handed on begin with where this server is reached. */
function wholeLinks() {
  for (const input of document.querySelectorAll("input[data-absolute]")) {
    input.value = new URL(input.value, location.href).href;
  }
}

localTimes(document);
wholeLinks();
themeSwitch();
forgetNotice();
acceptDrops();
