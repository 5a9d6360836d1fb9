// Runs that are ticked to be compared stay ticked from page to page of a study, until the tab is closed or `clear` is
// pressed.
const FEWEST = 2, MOST = 10; // as in compare.py

function key() {
  const study = new URLSearchParams(location.search).get("study") ?? "";
  return `picked runs of ${study} in ${document.querySelector(".folder").textContent}`;
}

const read = () => new Set(JSON.parse(sessionStorage.getItem(key()) ?? "[]"));

function show() {
  const form = document.getElementById("compare"), number = document.getElementById("picked");
  if (!number) return; // another page, or its content has not come yet
  const picked = read(), boxes = [...document.querySelectorAll("#runs input[name=run]")];
  const here = new Set(boxes.map((box) => box.value));
  for (const box of boxes) box.checked = picked.has(box.value);
  for (const field of form.querySelectorAll("input[type=hidden]")) field.remove();
  for (const value of picked) { // those of other pages
    if (!here.has(value)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "run", value }));
  }
  number.textContent = picked.size ? `${picked.size} ticked` : "";
  form.querySelector("button").disabled = picked.size < FEWEST || picked.size > MOST;
  document.getElementById("clear").hidden = !picked.size;
}

function keep(picked) {
  sessionStorage.setItem(key(), JSON.stringify([...picked]));
  show();
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches("#runs input[name=run]")) return;
  const picked = read();
  picked[target.checked ? "add" : "delete"](target.value);
  keep(picked);
});
document.addEventListener("click", ({ target }) => { if (target.id === "clear") keep(new Set()); });
document.addEventListener("shown", show);
addEventListener("pageshow", show);
show();
