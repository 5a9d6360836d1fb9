// The table of runs: sorted by any of its columns, some rows at a time, and all of it as CSV.
// `made` is what analysis/report_runs.py writes; `colors` are those of phases.
function runsTable(made, colors) {
  const PAGE = 50, at = Object.fromEntries(made.columns.map((name, i) => [name, i + 2]));
  const headings = ["run", "point", ...made.headings], columns = ["run_id", "point", ...made.columns];
  const place = document.getElementById("runs"), pager = document.getElementById("pager");
  let rows = made.runs, sorted = null, up = true, first = 0;

  const isNumber = (i) => i > 1 && made.runs.some((run) => typeof run[i] === "number");
  const numeric = columns.map((_, i) => isNumber(i));

  function cell(row, i) {
    const value = row[i], name = columns[i];
    if (i === 0) { const head = element("th", "", { scope: "row" }); head.append(element("code", value)); return head; }
    const field = element("td", "", { className: numeric[i] ? "number" : "" });
    if (name === "point") Object.assign(field, { textContent: made.points[value][0], className: "point" });
    else if (name === "phase" && value !== null) {
      field.append(swatchOf(colors[value]), value);
      field.className = "short";
    } else if (value === null) field.append(...missing(row, name));
    else if (typeof value === "number") field.textContent = Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
    else field.textContent = value;
    if (name === "status" && value === "failed") field.classList.add("failed");
    return field;
  }

  // A run that was watched and did not come there is no gap.
  function missing(row, name) {
    const end = { train_step_95: "final_train_accuracy", test_step_95: "final_test_accuracy" }[name];
    const step = row[at.judged_at] ?? null;
    if (!end || step === null || (row[at[end]] ?? null) === null) return [];
    return [element("span", `not by ${step.toLocaleString("en")}`, { className: "quiet short" })];
  }

  function swatchOf(color) {
    const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
    const rect = document.createElementNS(space, "rect");
    for (const [part, values] of [[svg, { class: "swatch", viewBox: "0 0 10 10", "aria-hidden": "true" }],
      [rect, { width: 10, height: 10, fill: color ?? "#9a9a9a" }]])
      for (const [name, value] of Object.entries(values)) part.setAttribute(name, value);
    svg.append(rect);
    return svg;
  }

  function sortBy(i) {
    up = sorted === i ? !up : true;
    [sorted, first] = [i, 0];
    const less = (a, b) => (typeof a === "string" ? (a < b ? -1 : a > b ? 1 : 0) : a - b);
    rows = [...made.runs].sort((a, b) => {
      if (a[i] === null || b[i] === null) return (a[i] === null) - (b[i] === null); // missing ones are last
      return up ? less(a[i], b[i]) : less(b[i], a[i]);
    });
    show(i);
  }

  function show(focused) {
    const heads = headings.map((text, i) => {
      const head = element("th", "", { scope: "col", className: numeric[i] ? "number" : "" });
      const button = element("button", text + (sorted === i ? (up ? " ↑" : " ↓") : ""), { type: "button", className: "sort" });
      if (sorted === i) head.setAttribute("aria-sort", up ? "ascending" : "descending");
      button.onclick = () => sortBy(i);
      head.append(button);
      return head;
    });
    const body = rows.slice(first, first + PAGE).map((row) => {
      const line = element("tr");
      line.append(...columns.map((_, i) => cell(row, i)));
      return line;
    });
    place.tHead.rows[0].replaceChildren(...heads);
    place.tBodies[0].replaceChildren(...body);
    if (focused !== undefined) heads[focused].firstChild.focus();
    const last = Math.min(first + PAGE, rows.length);
    pager.replaceChildren(element("span", `${(first + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${rows.length.toLocaleString("en")} runs`));
    for (const [text, to] of rows.length > PAGE ? [["previous", first - PAGE], ["next", first + PAGE]] : []) {
      const button = element("button", text, { type: "button", disabled: to < 0 || to >= rows.length });
      button.onclick = () => { first = to; show(); };
      pager.append(button);
    }
  }

  document.getElementById("csv").onclick = () =>
    save(URL.createObjectURL(new Blob([csvOf(made)], { type: "text/csv" })), `${made.name}_runs.csv`);
  show();
}

// All runs with a column for each axis; text in quotes where it has to be.
function csvOf(made) {
  const text = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
  const quoted = (value) => (/[",\r\n]/.test(text(value)) ? `"${text(value).replaceAll('"', '""')}"` : text(value));
  const axes = made.axes.map((axis, i) => [axis, i + 1]).filter(([axis]) => !made.columns.includes(axis));
  const lines = made.runs.map(([id, point, ...facts]) => [id, ...axes.map(([, i]) => made.points[point][i]), ...facts]);
  return [["run_id", ...axes.map(([axis]) => axis), ...made.columns], ...lines].map((line) => line.map(quoted).join(",") + "\n").join("");
}
