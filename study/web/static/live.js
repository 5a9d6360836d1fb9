// Keeps a page as the server would make it now: parts with `data-live` and an id are replaced when they have changed.
const connection = () => document.getElementById("connection");
const made = new Map(); // id -> the part as the server made it
let state = null, asked = false, busy = false;

function remember(page) {
  for (const part of page.querySelectorAll("[data-live][id]")) made.set(part.id, part.innerHTML);
}

// Figures keep what is drawn in them, open details stay open, and the focus stays where it was.
function replace(part, html) {
  const fresh = document.createElement("div");
  fresh.innerHTML = html;
  for (const figure of part.querySelectorAll("[data-chart]")) {
    const same = fresh.querySelector(`[data-chart="${CSS.escape(figure.dataset.chart)}"]`);
    if (same) same.replaceWith(figure);
  }
  const open = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
  const ticked = [...part.querySelectorAll("input:checked[id]")].map((one) => one.id);
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const id of ticked) { const box = document.getElementById(id); if (box) box.checked = true; }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// Shows the page of an address within this one, without a reload.
async function show(address) {
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const fresh of page.querySelectorAll("[data-live][id]")) {
    const part = document.getElementById(fresh.id);
    if (!part || made.get(fresh.id) === fresh.innerHTML) continue;
    made.set(fresh.id, fresh.innerHTML);
    replace(part, fresh.innerHTML);
  }
  document.title = page.title;
  await loadParts();
  document.dispatchEvent(new CustomEvent("shown"));
}

// Parts that take longer to find out come after the page.
async function loadParts() {
  for (const part of document.querySelectorAll("[data-part]")) {
    const answer = await fetch(part.dataset.part);
    const html = answer.ok ? await answer.text() : "";
    if (made.get(part.dataset.part) === html) continue;
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
    try { await show(location.href); } catch { /* the server is gone: the connection says so */ }
    // A page takes a tenth of the server's time at most from what trains beside it.
    const took = performance.now() - began;
    await new Promise((done) => setTimeout(done, Math.max(500, 9 * took)));
  }
  busy = false;
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
    const menu = document.getElementById(event.target.dataset?.slides ?? "");
    if (!menu) return;
    menu.selectedIndex = Number(event.target.value);
    if (kind === "change") menu.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

remember(document);
loadParts();
const news = new EventSource("/events");
news.onopen = () => { connection().textContent = "live"; };
news.onerror = () => { connection().textContent = "no connection: the server has ended"; };
news.onmessage = ({ data }) => {
  if (state !== null && state !== data) refresh();
  state = data;
};
