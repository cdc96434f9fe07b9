# SPDX-License-Identifier: GPL-3.0-or-later
import os
import shutil
import sys
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

sys.path.insert(0, str(Path(__file__).parent))

from fixture_server import Server  # noqa: E402


def program(*names):
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.fail(f"none of {', '.join(names)} is installed (Debian: chromium chromium-driver)")


@pytest.fixture(scope="session")
def make_driver(tmp_path_factory):
    """Browsers, ended at the end; what they leave behind goes with pytest's folder."""
    made, folder = [], tmp_path_factory.mktemp("chromium")

    def make(*arguments):
        options = Options()
        options.binary_location = program("chromium", "chromium-browser")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--lang=en-GB",
                         "--disable-dev-shm-usage", "--force-color-profile=srgb",
                         "--disable-background-networking", "--no-first-run", *arguments):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(program("chromedriver"), env={**os.environ, "TMPDIR": str(folder)})
        driver = webdriver.Chrome(options=options, service=service)
        driver.set_page_load_timeout(30)
        made.append(driver)
        return driver

    os.environ.setdefault("TZ", "UTC")
    yield make
    for driver in made:
        driver.quit()


@pytest.fixture(scope="session")
def shared_driver(make_driver):
    return make_driver()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def driver(shared_driver):
    """One browser for all tests; each begins without memory, on an empty page, in UTC."""
    d = shared_driver
    d.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "UTC"})
    d.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    d.execute_cdp_cmd("Network.enable", {})
    d.execute_cdp_cmd("Network.emulateNetworkConditions",
                      {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
    d.set_window_size(1280, 900)
    d.get_log("browser")
    yield d
    d.get("about:blank")
