// The map of a study with three or more axes, drawn anew for every choice in its menus.
// `base` is the picture with one panel, all other axes pooled; `map` is what analysis/menus.py writes. `draw` draws a
// spec, with the cells of the study behind each of its cells, and the cell to begin with.
function mapWithMenus(where, base, map, draw) {
  const axes = map.axes;
  const place = axes.map((axis) => axis.place); // "x", "y", "panels", "pooled", or the number of a value
  const menus = document.createElement("div");
  menus.className = "menus";
  document.querySelector(where).before(menus);

  function menu(name, options, chosen, choose) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    label.append(name, select);
    for (const [value, text] of options) select.append(new Option(text, value, false, String(value) === String(chosen)));
    select.setAttribute("aria-label", name);
    select.onchange = () => { choose(select.value); show(name); };
    menus.append(label);
  }

  // An axis that comes into the plane changes places with the one that leaves it.
  function toPlane(side, index) {
    const old = place.indexOf(side);
    const free = place[index];
    place[index] = side;
    if (old !== index) place[old] = free === "panels" && !axes[old].panels || Number.isInteger(free) ? "pooled" : free;
  }

  function elsewhere(index, value) {
    const panels = axes.map((_, i) => i).filter((i) => place[i] === "panels" && i !== index);
    if (value === "panels" && panels.length > 1) place[panels[0]] = "pooled";
    place[index] = value === "panels" || value === "pooled" ? value : Number(value);
  }

  function show(focused) {
    menus.replaceChildren();
    const names = axes.map((axis, i) => [i, axis.name]);
    menu("across", names, place.indexOf("x"), (i) => toPlane("x", Number(i)));
    menu("up", names, place.indexOf("y"), (i) => toPlane("y", Number(i)));
    axes.forEach((axis, i) => {
      if (place[i] === "x" || place[i] === "y") return;
      const values = axis.labels.map((text, k) => [k, text]);
      const panels = axis.panels ? [["panels", "in panels"]] : [];
      menu(axis.name, [...panels, ["pooled", "all together"], ...values], place[i], (value) => elsewhere(i, value));
    });
    if (focused) menus.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    draw(...specOf(base, map, place));
  }
  show();
}

// The cells that a choice of places leaves: their runs by phase, counted together over the pooled axes.
function cellsOf(map, place) {
  const kept = map.axes.map((_, i) => i).filter((i) => place[i] !== "pooled");
  const groups = new Map();
  for (const [at, cell, phase, runs] of map.cells) {
    if (place.some((held, i) => Number.isInteger(held) && held !== at[i])) continue;
    const key = kept.map((i) => at[i]).join();
    if (!groups.has(key)) groups.set(key, {number: groups.size, at, cells: new Set(), runs: {}, total: 0});
    const group = groups.get(key);
    group.cells.add(cell);
    group.runs[phase] = (group.runs[phase] || 0) + runs;
    group.total += runs;
  }
  return [[...groups.values()], kept];
}

// The Wilson 95% interval of a fraction, in words.
function wilson(fraction, total) {
  const z = 1.959963984540054, w = z * z / total;
  const half = z * Math.sqrt((fraction * (1 - fraction) + w / 4) / total);
  const ends = [fraction + w / 2 - half, fraction + w / 2 + half];
  return ends.map((end) => Math.min(1, Math.max(0, end / (1 + w))).toFixed(2)).join(" to ");
}

// The rows that the diagram draws, one for each cell and phase.
function rowsOf(map, place, groups, kept) {
  const [x, y] = [place.indexOf("x"), place.indexOf("y")];
  return groups.flatMap((group) => {
    let start = 0;
    const point = kept.map((i) => map.axes[i].labels[group.at[i]]).join(", ");
    const panels = kept.filter((i) => place[i] === "panels").map((i) => map.axes[i].labels[group.at[i]]);
    return Object.keys(group.runs).sort().map((phase) => {
      const fraction = group.runs[phase] / group.total;
      const row = {
        cell: group.number, phase, fraction, start, point, interval: wilson(fraction, group.total),
        x: map.axes[x].values[group.at[x]], y: map.axes[y].values[group.at[y]],
        runs: `${group.runs[phase]} of ${group.total}`, row: panels[0], column: panels[1], panel: panels.join(", "),
      };
      start += fraction;
      return row;
    });
  });
}

// The cell to begin with: most runs in the last generalized phase of the definition, or the clearest phase.
function exampleOf(map, rows) {
  const interest = (row) => [map.generalized.indexOf(row.phase), row.phase !== "unresolved", row.fraction];
  const more = (a, b) => { const i = a.findIndex((value, k) => value !== b[k]); return i >= 0 && a[i] > b[i]; };
  return rows.reduce((best, row) => (more(interest(row), interest(best)) ? row : best)).cell;
}

function specOf(base, map, place) {
  const spec = structuredClone(base);
  const [groups, kept] = cellsOf(map, place), rows = rowsOf(map, place, groups, kept);
  const x = map.axes[place.indexOf("x")], y = map.axes[place.indexOf("y")];
  const panels = map.axes.map((_, i) => i).filter((i) => place[i] === "panels"), small = panels.length ? 1 : 0;

  spec.datasets[spec.data.name] = rows;
  for (const step of spec.transform) {
    if (step.as === "across") step.calculate = `indexof(${JSON.stringify(x.values)}, datum.x)`;
    if (step.as === "up") step.calculate = `indexof(${JSON.stringify(y.values)}, datum.y)`;
  }
  Object.assign(spec.encoding, {x: x.x, y: y.y});
  Object.assign(spec, {width: x.width[small], height: y.height[small]});
  const cells = Object.fromEntries(groups.map((group) => [group.number, [...group.cells]]));
  const first = exampleOf(map, rows);
  if (!panels.length) return [spec, cells, first];

  const {data, mark, transform, encoding, width, height, ...rest} = spec;
  return [{...rest, data, spec: {mark, transform, encoding, width, height}, spacing: 14, ...facetOf(map, panels, rows)},
    cells, first];
}

// Rows and columns where every combination has a cell; else one panel after the other.
function facetOf(map, panels, rows) {
  const at = (i) => map.axes[i].labels.filter((text) => rows.some((row) => row.row === text || row.column === text));
  const by = (field, sort) => ({field, type: "nominal", title: null, sort});
  const labels = panels.map(at);
  const known = new Set(rows.map((row) => row.panel));
  if (panels.length === 2 && known.size === labels[0].length * labels[1].length) {
    const row = {...by("row", labels[0]), header: {labelAngle: 0, labelAlign: "left"}};
    return {facet: {row, column: by("column", labels[1])}};
  }
  const all = panels.length === 2 ? labels[0].flatMap((a) => labels[1].map((b) => `${a}, ${b}`)) : labels[0];
  const names = all.filter((name) => known.has(name)), most = map.most_columns;
  const lines = Math.ceil(names.length / (names.length <= 2 * most ? most : most + 1));
  return {facet: by("panel", names), columns: Math.ceil(names.length / lines)};
}
