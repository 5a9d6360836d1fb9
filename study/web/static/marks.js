// How pictures look and are read in a page: here and in a report, which has this text within it.

// The colours of text and lines are those of the page, light or dark.
export function inked(spec, dark) {
  const [text, quiet, line] = dark ? ["#e8e8e8", "#b5b5b5", "#3a3a3a"] : ["#222", "#444", "#ececec"];
  const config = { ...spec.config, background: null };
  for (const part of ["axis", "legend", "header"])
    config[part] = { ...config[part], labelColor: quiet, titleColor: quiet, gridColor: line, domainColor: quiet, tickColor: quiet };
  config.title = { ...config.title, color: text, subtitleColor: quiet };
  config.text = { ...config.text, color: text };
  Object.assign(config.legend, { symbolBaseFillColor: quiet, symbolBaseStrokeColor: quiet });
  return { ...(dark ? lightened(spec) : spec), background: null, config };
}

// A spec for a dark page: black and dark blue lines are light, but for those with a white edge, which show on every
// colour. Colours of phases stay as they are.
const LIGHT = { black: "#e8e8e8", "#0a5fb4": "#5aa9f0" };
const LINES = ["line", "split"]; // fields whose colours are those of lines

function lightened(part) {
  if (part.layer?.some((one) => one.mark?.color === "white")) return part;
  const made = { ...part }, color = part.encoding?.color, lighter = (one) => LIGHT[one] ?? one;
  if (part.mark?.color) made.mark = { ...part.mark, color: lighter(part.mark.color) };
  if (color?.value) made.encoding = { ...part.encoding, color: { ...color, value: lighter(color.value) } };
  if (LINES.includes(color?.field) && Array.isArray(color.scale?.range)) {
    const scale = { ...color.scale, range: color.scale.range.map(lighter) };
    made.encoding = { ...part.encoding, color: { ...color, scale } };
  }
  for (const inner of ["layer", "hconcat", "vconcat"]) if (part[inner]) made[inner] = part[inner].map(lightened);
  if (part.spec) made.spec = lightened(part.spec);
  return made;
}

// Cells of a diagram are buttons: one stop of the tab key each, with all of its phases in words. `cells` says what a
// cell stands for, by its number.
export function wire(figure, cells) {
  const first = new Map();
  for (const mark of figure.querySelectorAll("svg path, svg rect, svg circle")) {
    const datum = mark.__data__?.datum;
    if (datum?.cell === undefined || !cells[datum.cell]) continue;
    mark.dataset.cell = JSON.stringify(cells[datum.cell]);
    const said = `${datum.phase} ${datum.runs}`;
    if (first.has(datum.cell)) { first.get(datum.cell).push(said); mark.setAttribute("aria-hidden", "true"); continue; }
    first.set(datum.cell, [datum.point, said]);
    first.get(datum.cell).mark = mark;
  }
  for (const said of first.values()) {
    said.mark.setAttribute("tabindex", "0");
    said.mark.setAttribute("role", "button");
    said.mark.setAttribute("aria-label", said.join(", "));
  }
}
