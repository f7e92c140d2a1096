// The pages of a scored campaign: charts that filter the grid, keys in the grid, explanations beside it, sliders.
// Without it the same is there as links, tables and forms.
import { apportion } from "./weights.js";

const root = document.documentElement;
const grid = () => document.getElementById("grid");

/** Asks for the grid in another state; the address goes along. */
function showGrid(address) {
  // Both entries are told to be those of htmx, which then brings their grid back.
  history.replaceState({ htmx: true }, "", location.href);
  history.pushState({ htmx: true }, "", address);
  window.htmx.ajax("GET", address, { source: ".grid-holder", target: "#grid", swap: "outerHTML" });
  grid()?.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

/** The address of the grid with some parameters changed; a null takes one away. */
function addressWith(changes) {
  const address = new URL(grid().dataset.here, location.href);
  address.searchParams.delete("page");
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  return address.pathname + address.search;
}

/* Charts */

const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const BANDS = ["good", "moderate", "poor"];
// Beside the colour: another mark for each band.
const MARKS = { good: "circle", moderate: "diamond", poor: "triangle" };
const whole = new Intl.NumberFormat(root.lang, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(root.lang, { notation: "compact", maximumFractionDigits: 1 });

function look() {
  const text = css("--tblr-secondary");
  return {
    text,
    line: css("--line"),
    surface: css("--tblr-bg-surface"),
    ink: css("--tblr-body-color"),
    good: css("--good"),
    moderate: css("--moderate"),
    poor: css("--poor"),
    font: css("--tblr-font-sans-serif"),
  };
}

function common(style, words) {
  return {
    animation: false,
    textStyle: { fontFamily: style.font, color: style.text },
    grid: { left: 8, right: 16, top: 30, bottom: 26, containLabel: true },
    legend: {
      data: BANDS.map((band) => words[band]), top: 0, right: 0, itemWidth: 9, itemHeight: 9, itemGap: 12, icon: undefined,
      textStyle: { color: style.text, fontSize: 11 }, selectedMode: false,
    },
    tooltip: {
      renderMode: "richText", confine: true, backgroundColor: style.surface, borderColor: style.line,
      textStyle: { color: style.ink, fontSize: 12 },
    },
  };
}

function axis(style, more) {
  return {
    axisLine: { lineStyle: { color: style.line } }, axisTick: { show: false },
    axisLabel: { color: style.text, fontSize: 11, hideOverlap: true },
    splitLine: { lineStyle: { color: style.line, opacity: 0.6 } },
    nameTextStyle: { color: style.text, fontSize: 11 }, ...more,
  };
}

function histogram(data, words, style) {
  const used = data.histogram.filter((bin) => bin.good + bin.moderate + bin.poor > 0);
  const bins = data.histogram.filter((bin) => used.length && bin.from >= used[0].from && bin.to <= used.at(-1).to);
  const series = BANDS.toReversed().map((band) => ({
    name: words[band], type: "bar", stack: "rows", barCategoryGap: "12%", cursor: "pointer",
    itemStyle: { color: style[band], decal: band === "poor" ? { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4, color: "rgba(255,255,255,.35)" } : undefined },
    data: bins.map((bin) => bin[band]),
  }));
  return {
    ...common(style, words),
    tooltip: {
      ...common(style, words).tooltip, trigger: "axis", axisPointer: { type: "shadow" },
      formatter: (points) => {
        const bin = bins[points[0].dataIndex];
        const lines = BANDS.filter((band) => bin[band]).map((band) => `${words[band]}: ${whole.format(bin[band])}`);
        return [`${words.score} ${bin.from}–${bin.to}`, ...lines].join("\n");
      },
    },
    xAxis: axis(style, { type: "category", data: bins.map((bin) => String(bin.from)), splitLine: { show: false }, axisLabel: { color: style.text, fontSize: 11, hideOverlap: true, interval: (at, from) => bins.length < 12 || Number(from) % 10 === 0 }, name: words.score, nameLocation: "middle", nameGap: 22 }),
    yAxis: axis(style, { type: "value", minInterval: 1, name: words.rows, nameTextStyle: { color: style.text, fontSize: 11, align: "left" }, axisLabel: { color: style.text, fontSize: 11, formatter: (value) => short.format(value) } }),
    series,
    click: (event) => {
      const bin = bins[event.dataIndex];
      showGrid(addressWith({ min_score: bin.from, max_score: bin.to, quality_status: null }));
    },
  };
}

function bubbles(data, words, style, base) {
  const most = Math.max(1, ...data.bubbles.map((row) => row.impressions));
  const height = (row) => (data.has_spend ? row.spend : row.impressions);
  const money = new Intl.NumberFormat(root.lang, /^[A-Z]{3}$/.test(words.currency) ? { style: "currency", currency: words.currency, currencyDisplay: "narrowSymbol", notation: "compact", maximumFractionDigits: 1 } : { notation: "compact", maximumFractionDigits: 1 });
  const figure = (value) => (data.has_spend ? money : short).format(value);
  const series = BANDS.map((band) => ({
    name: words[band], type: "scatter", cursor: "pointer", symbol: MARKS[band],
    itemStyle: { color: style[band], opacity: 0.62, borderColor: style.surface, borderWidth: 0.5 },
    emphasis: { itemStyle: { opacity: 1 } },
    data: data.bubbles.filter((row) => row.status === band && height(row) > 0)
      .map((row) => ({ value: [row.score, height(row)], row, symbolSize: 5 + 22 * Math.sqrt(row.impressions / most) })),
  }));
  return {
    ...common(style, words),
    tooltip: {
      ...common(style, words).tooltip,
      formatter: ({ data: { row } }) => [
        row.name, `${words.score} ${row.score.toFixed(1)}`,
        ...(data.has_spend ? [`${words.spend} ${money.format(row.spend)}`] : []),
        `${words.impressions} ${whole.format(row.impressions)}`,
      ].join("\n"),
    },
    xAxis: axis(style, { type: "value", scale: true, name: words.score, nameLocation: "middle", nameGap: 22 }),
    yAxis: axis(style, { type: "log", name: data.has_spend ? words.spend : words.impressions, nameTextStyle: { color: style.text, fontSize: 11, align: "left" }, axisLabel: { color: style.text, fontSize: 11, formatter: figure } }),
    series,
    click: (event) => {
      const { name } = event.data.row;
      showGrid(addressWith({ search: name }));
      explain(`${base}/domains/${encodeURIComponent(name)}`);
    },
  };
}

async function drawCharts() {
  const section = document.querySelector("[data-charts]");
  if (!section || !window.echarts) return;
  const canvases = [...section.querySelectorAll("[data-chart]")];
  let data;
  try {
    const answer = await fetch(section.dataset.charts, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    data = await answer.json();
  } catch {
    for (const canvas of canvases) canvas.textContent = section.dataset.failed;
    return;
  }
  const charts = canvases.map((canvas) => ({ canvas, chart: window.echarts.init(canvas, null, { renderer: "canvas" }) }));
  const draw = () => {
    const style = look();
    for (const { canvas, chart } of charts) {
      const make = canvas.dataset.chart === "histogram" ? histogram : bubbles;
      const { click, ...options } = make(data, section.dataset, style, section.dataset.base);
      chart.setOption(options, true);
      chart.off("click");
      chart.on("click", click);
    }
  };
  draw();
  document.addEventListener("caliber:theme", () => requestAnimationFrame(draw));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => requestAnimationFrame(draw));
  new ResizeObserver(() => charts.forEach(({ chart }) => chart.resize())).observe(section);
}

/* Explanations beside the grid */

async function explain(address) {
  const drawer = document.getElementById("drawer");
  if (!drawer) {
    location.assign(address);
    return;
  }
  await window.htmx.ajax("GET", address, { source: drawer, target: "#drawer-body", swap: "innerHTML" });
  if (!drawer.open) drawer.showModal();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-explain]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    explain(link.href);
    return;
  }
  if (event.target.id === "drawer") event.target.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Who decides in the drawer stays at the grid.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const next = form.closest("#drawer") && form.querySelector("input[name=next]");
  if (next) next.value = grid()?.dataset.here ?? next.value;
});

/* Keys: up and down go through the rows, Enter opens one, x selects it; Escape closes a menu. */

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = event.target.closest?.("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    return;
  }
  const scroll = event.target.closest?.(".grid-scroll");
  if (!scroll || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...scroll.querySelectorAll("a.row-link")];
  const at = rows.indexOf(event.target.closest("tr")?.querySelector("a.row-link"));
  const steps = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Home: 0, End: rows.length - 1 };
  if (event.key in steps) {
    event.preventDefault();
    rows[Math.min(steps[event.key], rows.length - 1)]?.focus();
  } else if (event.key === "x" && at >= 0) {
    event.target.closest("tr").querySelector("input[type=checkbox]")?.click();
  }
});

/* Forms that act as one changes them */

let waiting;
function soon(form, after) {
  clearTimeout(waiting);
  waiting = setTimeout(() => form.requestSubmit(), after);
}

document.addEventListener("input", (event) => {
  const input = event.target;
  const form = input.form;
  if (!form) return;
  if (form.matches("[data-grid-filters]") && input.type === "search") soon(form, 250);
  if (form.matches("[data-live]")) {
    if (input.type === "range") form.querySelector(`output[for="${input.id}"] strong`).textContent = `${input.value}${input.dataset.unit}`;
    soon(form, 120);
  }
  if (form.matches("[data-what-if]")) {
    balance(form, input);
    soon(form, 60);
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-grid-filters]") && event.target.id === "grid-band") soon(form, 0);
  // Proportions are those when a slider was let go: one that is dragged to 100 and back takes nothing away.
  if (form?.matches("[data-what-if]")) {
    for (const slider of form.querySelectorAll("input[type=range]")) slider.dataset.kept = slider.value;
  }
});

// What is left empty does not belong in the address.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get" || !event.target.matches("form[data-grid-filters]")) return;
  const data = event.detail.formData;
  for (const [name, value] of [...data]) if (value === "") data.delete(name);
  const boxes = [...event.target.querySelectorAll("input[name=cols]")];
  if (boxes.every((box) => box.checked === box.defaultChecked) && !new URL(grid().dataset.here, location.href).searchParams.has("cols")) data.delete("cols");
  if (data.get("per_page") === "50") data.delete("per_page");
  if (data.get("sort_by") === "score" && data.get("sort_direction") === "desc") {
    data.delete("sort_by");
    data.delete("sort_direction");
  }
});

/** Keeps the sum of the sliders at 100: what one takes, the others give in proportion. In tenths, so it is exact. */
function balance(form, moved) {
  const sliders = [...form.querySelectorAll("input[type=range]")];
  const others = sliders.filter((slider) => slider !== moved);
  if (!others.length) {
    moved.value = 100;
  } else {
    const left = 1000 - Math.round(moved.valueAsNumber * 10);
    const tenths = apportion(others.map((slider) => Number(slider.dataset.kept ?? slider.defaultValue)), left);
    others.forEach((slider, at) => { slider.value = tenths[at] / 10; });
  }
  for (const slider of sliders) {
    form.querySelector(`output[for="${CSS.escape(slider.id)}"] strong`).textContent = `${Number(slider.value)}%`;
  }
}

// What a threshold was refused for is told beside it, and the lists stay.
document.addEventListener("htmx:beforeSwap", (event) => {
  const form = event.detail.requestConfig?.elt;
  if (!form?.matches?.("[data-live], [data-grid-filters], [data-what-if]")) return;
  const problem = form.querySelector("[data-problem]");
  const failed = event.detail.xhr.status >= 400;
  if (failed) event.detail.shouldSwap = false;
  if (problem) {
    problem.hidden = !failed;
    const page = failed ? new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html") : null;
    problem.textContent = page?.querySelector("main .sentence")?.textContent ?? "";
  }
});

drawCharts();
