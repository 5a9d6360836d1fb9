// Draws figures with `data-chart`, the address of a Vega-Lite spec, and draws them anew when the spec has changed.
import { go } from "/static/live.js";
import { inked, wire } from "/static/marks.js";

const drawn = new WeakMap(); // figure -> the text of what it shows
const BRIGHTER = ['"extent": [0.05, 0.85]', '"extent": [0.35, 1]']; // of viridis, on a dark page
const latest = new WeakMap(); // figure -> its latest drawing, which may be under way
const views = new WeakMap(); // figure -> the Vega view in it
const dark = matchMedia("(prefers-color-scheme: dark)");
let library = null;

function vega() {
  library ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    Object.assign(script, { src: "/static/vega.js", onload: done, onerror: fail });
    document.head.append(script);
  });
  return library;
}

function element(name, text = "", values = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, values);
}

function around(figure, made) {
  const picture = element("div"), takes = element("p", "Take away: ", { className: "quiet" });
  for (const form of ["svg", "png", "spec"]) {
    const mark = figure.dataset.chart.includes("?") ? "&" : "?";
    takes.append(element("a", form.toUpperCase(), { href: `${figure.dataset.chart}${mark}format=${form}` }), " ");
  }
  const parts = [picture, takes];
  if (made.title) parts.unshift(element("h3", made.title));
  if (made.subtitle) parts.splice(1, 0, element("p", [].concat(made.subtitle).join(" "), { className: "quiet" }));
  if (made.read) parts.push(element("figcaption", made.read));
  figure.replaceChildren(...parts);
  return picture;
}

async function draw(figure) {
  const mine = {};
  latest.set(figure, mine);
  const answer = await fetch(figure.dataset.chart), text = await answer.text();
  if (latest.get(figure) !== mine) return; // a later one is under way
  if (!answer.ok) {
    const said = new DOMParser().parseFromString(text, "text/html").querySelector("[role=alert]")?.textContent;
    figure.replaceChildren(element("p", said ?? `This figure cannot be made: ${answer.status}.`, { className: "mistake" }));
    drawn.set(figure, "");
    return;
  }
  const shown = text + dark.matches;
  if (drawn.get(figure) !== shown) {
    const made = JSON.parse(dark.matches ? text.replaceAll(...BRIGHTER) : text);
    figure.hidden = "missing" in made && "lazy" in figure.dataset;
    if ("missing" in made) figure.replaceChildren(element("p", made.missing, { className: "quiet" }));
    else {
      delete made.spec.title; // the page has it
      await vega();
      const options = { actions: false, renderer: "svg", ast: true, defaultStyle: false,
        tooltip: { disableDefaultStyle: true }, config: {} };
      const focused = figure.contains(document.activeElement) && document.activeElement.dataset.cell;
      views.get(figure)?.finalize();
      views.set(figure, (await vegaEmbed(around(figure, made), inked(made.spec, dark.matches), options)).view);
      if (made.cells) wire(figure, made.cells);
      if (focused) figure.querySelector(`[data-cell="${CSS.escape(focused)}"][tabindex]`)?.focus({ preventScroll: true });
    }
    drawn.set(figure, shown);
  }
  if ("cells" in figure.dataset) outline(figure);
}

const MOST = 10; // as `MOST_CELLS` of asked.py
const chosen = () => new URLSearchParams(location.search).getAll("cell");

function outline(figure) {
  const cells = new Set(chosen());
  for (const mark of figure.querySelectorAll("[data-cell]")) {
    mark.classList.toggle("chosen", cells.has(mark.dataset.cell));
    if (mark.hasAttribute("tabindex")) mark.setAttribute("aria-pressed", cells.has(mark.dataset.cell));
  }
}

function choose(cells, add) {
  const address = new URL(location.href), before = add ? chosen() : [];
  const gone = cells.length === 1 && chosen().includes(cells[0]);
  const now = gone ? before.filter((cell) => cell !== cells[0]) : [...new Set([...before, ...cells])];
  address.searchParams.delete("cell");
  for (const cell of now.slice(-MOST)) address.searchParams.append("cell", cell);
  go(address.href).then(() => {
    if (now.length > MOST) document.getElementById("said").textContent =
      `At most ${MOST} cells are compared: these are the last of the ${now.length} that were chosen.`;
  });
}

// A drag over several cells chooses them all.
let from = null;
document.addEventListener("pointerdown", (event) => {
  if (event.target.closest("figure[data-cells]")) from = [event.clientX, event.clientY];
});
document.addEventListener("pointerup", (event) => {
  const figure = event.target.closest("figure[data-cells]");
  if (from && figure && Math.hypot(event.clientX - from[0], event.clientY - from[1]) > 8) {
    const [left, right] = [from[0], event.clientX].sort((a, b) => a - b);
    const [top, bottom] = [from[1], event.clientY].sort((a, b) => a - b);
    const within = [...figure.querySelectorAll("[data-cell]")].filter((mark) => {
      const box = mark.getBoundingClientRect();
      return box.right > left && box.left < right && box.bottom > top && box.top < bottom;
    });
    if (within.length) choose([...new Set(within.map((mark) => mark.dataset.cell))], event.shiftKey);
  } else if (from && event.target.dataset?.cell) choose([event.target.dataset.cell], event.shiftKey);
  from = null;
});
document.addEventListener("keydown", (event) => {
  if (event.target.dataset?.cell && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    choose([event.target.dataset.cell], event.shiftKey);
  }
});

// Figures further down are drawn once a reader comes near.
const near = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) if (isIntersecting) { near.unobserve(target); draw(target); }
}, { rootMargin: "600px" });

function drawAll() {
  const drawing = [];
  for (const figure of document.querySelectorAll("[data-chart]")) {
    if ("cells" in figure.dataset) outline(figure);
    if (drawn.has(figure)) drawing.push(draw(figure));
    else near.observe(figure);
  }
  return drawing;
}

document.addEventListener("shown", (event) => event.detail.push(...drawAll()));
document.addEventListener("gone", (event) => views.get(event.target)?.finalize());
dark.addEventListener("change", drawAll);
drawAll();
