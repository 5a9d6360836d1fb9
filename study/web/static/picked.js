// Runs that are ticked to be compared stay ticked from page to page, until the tab is closed or `clear` is pressed.
const KEY = "picked runs", picked = new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));

function show() {
  const form = document.getElementById("compare"), number = document.getElementById("picked");
  if (!number) return; // another page, or its content has not come yet
  sessionStorage.setItem(KEY, JSON.stringify([...picked]));
  const boxes = [...document.querySelectorAll("#runs input[name=run]")], here = new Set(boxes.map((box) => box.value));
  for (const box of boxes) box.checked = picked.has(box.value);
  for (const field of form.querySelectorAll("input[type=hidden]")) field.remove();
  for (const value of picked) { // those of other pages
    if (!here.has(value)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "run", value }));
  }
  number.textContent = picked.size ? `${picked.size} ticked` : "";
  document.getElementById("clear").hidden = !picked.size;
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches("#runs input[name=run]")) return;
  picked[target.checked ? "add" : "delete"](target.value);
  show();
});
document.addEventListener("click", ({ target }) => { if (target.id === "clear") { picked.clear(); show(); } });
document.addEventListener("shown", show);
show();
