// The editor: Ctrl-Enter runs, a name of the schema is inserted, and the text follows the address where that changes.
const box = document.getElementById("query"), running = document.getElementById("running");
const inAddress = () => new URLSearchParams(location.search).get("query") ?? "";
let last = inAddress();
box.addEventListener("keydown", (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) box.form.requestSubmit(); });
box.form.addEventListener("submit", () => { last = box.value; running.textContent = "running"; });
document.addEventListener("click", ({ target: { dataset } }) => { if (dataset.insert) { box.setRangeText(dataset.insert, box.selectionStart, box.selectionEnd, "end"); box.focus(); } });
document.addEventListener("shown", () => { running.textContent = ""; if (inAddress() !== last) box.value = last = inAddress(); });
