"""The live page as its readers have it: a server in a process of its own, and a browser that opens its pages."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.browser import BROWSER

DRIVER = shutil.which("chromedriver")
"""The program that drives the browser; None where there is none."""
START_SECONDS = 120
"""A busy machine takes long to import what a server needs."""
WAIT_SECONDS = 60
FLAGS = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "disable-background-networking",
         "disable-component-update", "disable-sync", "disable-quic", "no-first-run")  # fmt: skip
"""Without a window, and without the browser's own requests to its maker."""


@contextmanager
def server(store: Path, *options: str) -> Iterator[str]:
    """`study serve` on a free port until the block ends; its address, as it was printed."""
    line = [sys.executable, "-m", "study", "serve", "--store", str(store), "--port", "0", *options]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            assert "http://" in said, said + process.stderr.read()
            yield said.split()[-1]
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
    assert process.returncode == 0, process.returncode
    assert not rest, rest


class Page:
    """A page in a browser without a window."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get(address)

    def script(self, text: str, *values: Any) -> Any:
        """What JavaScript returns in the page."""
        return self.driver.execute_script(text, *values)

    def until(self, found: Callable[[], Any], what: str) -> Any:
        """What `found` gives once that is true; AssertionError with `what` after a minute."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if value := found():
                return value
            time.sleep(0.1)
        raise AssertionError(f"not within {WAIT_SECONDS} s: {what}")

    def count(self, selector: str) -> int:
        return self.script("return document.querySelectorAll(arguments[0]).length", selector)

    def wait_for(self, selector: str) -> None:
        """Until there is an element."""
        self.until(lambda: self.count(selector), selector)

    def text(self, selector: str = "body") -> str:
        return self.script("return document.querySelector(arguments[0]).innerText", selector)

    def press(self, selector: str, *keys: str) -> None:
        """Press keys while the first such element has the focus."""
        self.script("document.querySelector(arguments[0]).focus()", selector)
        self.driver.switch_to.active_element.send_keys(*keys)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a menu, or write a number, as a reader does."""
        self.script(
            "const field = document.querySelector(arguments[0]); field.value = arguments[1];"
            "field.dispatchEvent(new Event('change', {bubbles: true}))", selector, value)  # fmt: skip

    def complaints(self) -> list[str]:
        """Errors in the browser's console since it was asked last; broken policies are among them."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def hosts(self) -> set[str]:
        """Where requests of all pages have gone since it was asked last."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return {urlsplit(url).netloc for url in urls if url.startswith(("http:", "https:", "ws:", "wss:"))}


@contextmanager
def browser(width: int = 1200, height: int = 1400, dark: bool = False) -> Iterator[Page]:
    """A browser with a window of this size, until the block ends."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (*FLAGS, f"window-size={width},{height}"):
        options.add_argument(f"--{flag}")
    if dark:
        options.add_argument("--blink-settings=preferredColorScheme=0")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        yield Page(driver)
    finally:
        driver.quit()
