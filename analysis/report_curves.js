// The curves of some cells of the study: a picture for each measure. `made` is what analysis/report_curves.py writes,
// `labels` has the cells in words, `totals` how many runs each has.
function curvesOf(made, labels, totals) {
  const menu = document.getElementById("cell");
  const held = new Set(made.runs.map((run) => run.cell)); // of a large study, not all of them
  menu.append(...labels.map((text, cell) => [text, cell]).filter(([, cell]) => held.has(cell)).map((each) => new Option(...each)));

  function rows(measure, cells) {
    const runs = made.runs.filter((run) => cells.includes(run.cell) && run[measure]);
    return runs.flatMap((run) => Object.entries(run[measure]).flatMap(([line, values]) =>
      made.steps[run.at].map((step, i) => ({ run: run.run, seed: run.seed, point: labels[run.cell], line,
        step: Math.max(step, 0.5), value: values[i] })).filter((row) => row.value !== null)));
  }

  function show(cells, words) {
    const shown = made.runs.filter((run) => cells.includes(run.cell)).length;
    const total = cells.reduce((sum, cell) => sum + totals[cell], 0);
    const several = total === 1 ? "1 run" : `${total} runs`;
    document.getElementById("picked").textContent =
      `${words || "All cells"}: ${shown < total ? `the curves of ${shown} of ` : ""}${several}`;
    menu.value = cells.length === 1 ? cells[0] : "";
    for (const [measure, spec] of Object.entries(made.pictures)) {
      const where = `#curves_${measure}`;
      const width = Math.min(460, Math.max(190, document.querySelector(where).parentElement.clientWidth - 75));
      draw(where, { ...spec, width, datasets: { curves: rows(measure, cells) } });
    }
  }

  return { menu, show };
}

// Curves alone, or with the map in which a reader may pick their cell, too.
function drawCurves(made, labels, totals, map) {
  const { menu, show } = curvesOf(made, labels, totals);
  const outlined = map ? drawMap("#phase_diagram", map, show) : () => {};
  if (!map) show([made.runs[0].cell], labels[made.runs[0].cell]);
  menu.addEventListener("change", () => {
    if (menu.value === "") return;
    show([Number(menu.value)], labels[menu.value]);
    outlined([Number(menu.value)]);
  });
}
