// Keeps a page as the server would make it now: parts with `data-live` and an id are replaced when they have changed.
const connection = () => document.getElementById("connection");
const said = document.getElementById("said");
const NONE = "no connection";
const LOST = "The server does not answer, so this page may not show the last results. If it has ended, `study serve` brings it back.";
const made = new Map(); // id -> the part as the server made it
let state = document.body.dataset.state; // of the store, as this page is of
let asked = false, busy = false, turn = 0;

// Figures keep what is drawn in them, open details stay open, ticks stay, and the focus stays where it was.
function replace(part, html) {
  const fresh = document.createElement("div");
  fresh.innerHTML = html;
  for (const figure of part.querySelectorAll("[data-chart]")) {
    const same = fresh.querySelector(`[data-chart="${CSS.escape(figure.dataset.chart)}"]`);
    if (same) same.replaceWith(figure);
    else figure.dispatchEvent(new CustomEvent("gone", { bubbles: true }));
  }
  const open = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
  const ticked = [...part.querySelectorAll("input:checked[id]")].map((one) => one.id);
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const id of ticked) { const box = document.getElementById(id); if (box) box.checked = true; }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// Shows the page of an address within this one, without a reload. Of two that are under way the later one counts.
// False where the server could not answer just now.
async function show(address) {
  const mine = ++turn;
  const answer = await fetch(address, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer) { lost(); return false; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== turn) return true;
  const mistake = page.querySelector("[role=alert]")?.textContent ?? "";
  said.textContent = answer.ok ? "" : mistake;
  if (connection().textContent === NONE) connection().textContent = "live";
  const parts = [...page.querySelectorAll("[data-live][id]")];
  if (!parts.length || parts.some((part) => !document.getElementById(part.id))) {
    if (answer.ok) location.reload(); // a page of other parts: an error's page has become one of results
    return answer.status !== 503;
  }
  for (const fresh of parts) {
    if (made.get(fresh.id) === fresh.innerHTML) continue;
    made.set(fresh.id, fresh.innerHTML);
    replace(document.getElementById(fresh.id), fresh.innerHTML);
  }
  document.title = page.title;
  await loadParts();
  const drawing = []; // what follows from it, such as figures
  document.dispatchEvent(new CustomEvent("shown", { detail: drawing }));
  await Promise.all(drawing);
  return true;
}

// Parts that take longer to find out come after the page.
async function loadParts() {
  for (const part of document.querySelectorAll("[data-part]")) {
    const answer = await fetch(part.dataset.part).catch(() => null);
    if (!answer?.ok) continue;
    const html = await answer.text();
    if (made.get(part.dataset.part) === html && part.childNodes.length) continue;
    made.set(part.dataset.part, html);
    part.innerHTML = html;
  }
}

async function refresh() {
  asked = true;
  if (busy) return;
  busy = true;
  while (asked) {
    asked = false;
    const began = performance.now();
    // Not over a half-written form. What fails is tried again: a writer may have kept the store.
    const field = document.activeElement;
    const writing = field?.matches("input:not([type=range], [type=checkbox])") && field.value !== field.defaultValue;
    if (writing || !(await show(location.href))) setTimeout(refresh, 2000);
    // An open page takes a tenth of the time at most from what trains beside it, or is ten seconds old.
    const took = performance.now() - began;
    await new Promise((done) => setTimeout(done, Math.min(10_000, Math.max(500, 9 * took))));
  }
  busy = false;
}

function lost() {
  connection().textContent = NONE;
  said.textContent = LOST;
}

export async function go(address) {
  history.pushState(null, "", address);
  await show(address);
}

addEventListener("popstate", () => show(location.href));

// Links and forms with `data-go` change what this page shows, and its address.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-go]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href);
});

// What the form says, beside what the address says of other things. `data-default` needs no place in the address.
function addressOf(form, changed) {
  const pairs = new URLSearchParams(location.search);
  for (const field of form.elements) if (field.name) pairs.delete(field.name);
  const cleared = changed?.dataset.clears;
  for (const field of form.elements) {
    if (!field.name || field.value === "" || field.value === field.dataset.default) continue;
    if (!(cleared && field.name.startsWith(cleared))) pairs.append(field.name, field.value);
  }
  return form.action.split("?")[0] + (pairs.size ? `?${pairs}` : "");
}

for (const kind of ["change", "submit"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest("form[data-go]");
    if (!form || event.target.dataset.slides || (kind === "change" && event.target.matches("[data-on-submit]"))) return;
    event.preventDefault();
    go(addressOf(form, event.target));
  });
}

// A slider moves the menu of its axis through the values.
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const slider = event.target, menu = document.getElementById(slider.dataset?.slides ?? "");
    if (!menu) return;
    menu.selectedIndex = Number(slider.value);
    slider.setAttribute("aria-valuetext", menu.selectedOptions[0].text);
    if (kind === "change") menu.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// Browsers allow a server six streams, so pages that nobody sees have none.
let news = null;
function listen() {
  news?.close();
  news = null;
  if (document.hidden) return;
  news = new EventSource("/events");
  news.onopen = () => {
    connection().textContent = "live";
    if (said.textContent === LOST) said.textContent = "";
  };
  news.onerror = lost;
  news.onmessage = ({ data }) => {
    if (state === data) return;
    state = data;
    if (document.querySelector("[data-still]")) connection().textContent = "live: the store has changed since";
    else refresh();
  };
}

// A page that would have taken long came without its content.
async function fill() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("main").replaceChildren(...page.getElementById("main").childNodes);
  document.title = page.title;
  state = page.body.dataset.state;
}

document.addEventListener("visibilitychange", listen);
if (document.querySelector("[data-shell]")) await fill();
for (const part of document.querySelectorAll("[data-live][id]")) made.set(part.id, part.innerHTML);
listen();
document.dispatchEvent(new CustomEvent("shown", { detail: [] }));
loadParts();
