// Draws the pictures of a report. With it in the page: Vega, study/web/static/marks.js, and what analysis/report.py knows.
const dark = matchMedia("(prefers-color-scheme: dark)");
const pictures = new Map(); // where -> its spec, and what to do once it is drawn
const views = new Map();
const busy = new Set();

function element(name, text = "", values = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, values);
}

// Draws a spec at `where`, the selector of an element. Of several that wait there, the last alone is drawn.
async function draw(where, spec, done) {
  pictures.set(where, { spec, done });
  if (busy.has(where)) return;
  busy.add(where);
  try {
    for (let shown = null; shown !== pictures.get(where);) {
      shown = pictures.get(where);
      views.get(where)?.finalize();
      views.set(where, await viewOf(where, inked(shown.spec, dark.matches), "svg"));
      shown.done?.(document.querySelector(where));
    }
  } finally {
    busy.delete(where);
  }
}

async function viewOf(where, spec, renderer) {
  const options = { mode: "vega-lite", actions: false, renderer, ast: true, defaultStyle: false, config: {},
    tooltip: { disableDefaultStyle: true } };
  return (await vegaEmbed(where, spec, options)).view;
}

dark.addEventListener("change", () => {
  for (const [where, { spec, done }] of pictures) draw(where, spec, done);
});

function save(address, name) {
  element("a", "", { href: address, download: name }).click();
}

// Pictures are taken away as on white paper, however the page looks.
document.addEventListener("click", async ({ target }) => {
  const { take, of } = target.dataset ?? {};
  if (!take || !pictures.has(of)) return;
  const { spec } = pictures.get(of), name = `${document.body.dataset.study}_${of.slice(1)}`;
  if (take === "json") return save(URL.createObjectURL(new Blob([JSON.stringify(spec)])), `${name}.vl.json`);
  const view = await viewOf(document.createElement("div"), spec, "none");
  save(await view.toImageURL(take, 2), `${name}.${take}`);
  view.finalize();
});

// The map, and the curves of the cell that a reader picks in it. `cells` says which cells of the study a cell of the
// picture counts together; `show` shows their curves.
function drawMap(where, made, show) {
  let picked = "";

  function outline() {
    const marks = [...document.querySelectorAll(`${where} [data-cell]`)];
    for (const mark of marks) {
      mark.classList.toggle("chosen", mark.dataset.cell === picked);
      if (mark.hasAttribute("tabindex")) mark.setAttribute("aria-pressed", mark.dataset.cell === picked);
    }
    return marks.some((mark) => mark.dataset.cell === picked);
  }

  function pick(mark) {
    picked = mark.dataset.cell;
    outline();
    show(JSON.parse(picked), mark.__data__.datum.point);
  }

  const place = document.querySelector(where);
  place.addEventListener("click", ({ target }) => { if (target.dataset?.cell) pick(target); });
  place.addEventListener("keydown", (event) => {
    if (!event.target.dataset?.cell || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    pick(event.target);
  });

  const drawn = (spec, cells, first) => draw(where, spec, (figure) => {
    wire(figure, cells);
    const mark = figure.querySelector(`[data-cell="${JSON.stringify(cells[first])}"]`);
    if (!outline() && mark) pick(mark);
  });
  if (made.menus) mapWithMenus(where, made.spec, made.menus, drawn);
  else drawn(made.spec, made.cells, made.first);
  return (cells) => { picked = JSON.stringify(cells); outline(); };
}
