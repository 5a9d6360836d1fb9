"""A page in a real browser without a window: what it holds after a reader has used it."""

import json
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The program; None where there is none."""
MAX_SECONDS = 60
SETTLED = """<script>
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
async function drawn(where) {  // once a picture has not changed for a moment
  let text = null;
  do { text = document.querySelector(where).innerHTML; await wait(400); }
  while (!text.includes("<svg") || text !== document.querySelector(where).innerHTML);
}
function choose(menu, text) {
  const select = document.querySelector(`select[aria-label="${menu}"]`);
  select.selectedIndex = [...select.options].findIndex((option) => option.text === text);
  select.dispatchEvent(new Event("change"));
}
const labelled = (where) => [...document.querySelectorAll(`${where} [aria-label]`)];
const labels = (where) => labelled(where).map((element) => element.getAttribute("aria-label"));
addEventListener("load", async () => {
  let found;
  try { found = await (async () => { SCRIPT })(); } catch (error) { found = {error: String(error)}; }
  document.body.dataset.found = JSON.stringify(found);
});
</script>"""


def used(page: Path, script: str) -> Any:
    """What `script` returns in the loaded page: JavaScript that may await `drawn` and call `choose` and `labels`."""
    copy = page.with_suffix(".used.html")
    copy.write_text(page.read_text(encoding="utf-8") + SETTLED.replace("SCRIPT", script), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,1600", "--virtual-time-budget=60000"]
    assert BROWSER is not None
    line = [BROWSER, *options, f"--user-data-dir={page.parent / 'browser'}", "--dump-dom", copy.as_uri()]
    shown = subprocess.run(line, capture_output=True, text=True, timeout=MAX_SECONDS, check=True).stdout
    found = json.loads(unescape(shown.split('data-found="')[1].split('"')[0]))
    assert not (isinstance(found, dict) and "error" in found), found
    return found
