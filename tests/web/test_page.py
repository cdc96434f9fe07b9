# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real browser, before a server that answers like the services, under the
Content-Security-Policy that nginx ships."""
import gzip
import re

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from fixture_server import ROOT, ROOMS, TOKEN

WEB = ROOT / "web"
# timers run 60 times faster: what happens each half minute happens each half second
FAST = "{ const real = setTimeout; window.setTimeout = (f, ms, ...a) => real(f, ms / 60, ...a); }"


def wait(driver, condition, seconds=20):
    return WebDriverWait(driver, seconds, poll_frequency=0.05).until(condition)


def text(driver, selector):
    return driver.find_element(By.CSS_SELECTOR, selector).text


def cards(driver):
    return driver.find_elements(By.CSS_SELECTOR, ".card")


def card(driver, name):
    return driver.find_element(By.CSS_SELECTOR, f'.card[data-series="{name}"]')


def in_card(driver, name, selector):
    return card(driver, name).find_element(By.CSS_SELECTOR, selector)


def drawn(driver, name):
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", card(driver, name))
    wait(driver, lambda d: card(d, name).find_elements(By.CSS_SELECTOR, "canvas"))


def opened(driver, server, query=""):
    driver.get(server.url + query)
    wait(driver, lambda d: cards(d) or d.find_elements(By.CSS_SELECTOR, ".message"))


@pytest.fixture
def fast(driver):
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FAST})
    yield driver
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def errors(driver):
    return [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]


def test_shows_each_series(driver, server):
    opened(driver, server)
    assert len(cards(driver)) == 18
    assert text(driver, "#summary").startswith("18 series · 2 alerts · as of ")
    first = card(driver, "kitchen.temperature").text
    value = server.world.series()[0]["last"]["value"]
    assert f"{value:.1f}" in first and "°C" in first and "50 s ago" in first
    assert "ridge v3" in first and "0.20 °C" in first and "+34 %" in first and "ok" in first
    assert in_card(driver, "kitchen.co2", ".quantity").text == "CO₂"
    assert in_card(driver, "attic.temperature", ".skill").text == "−21 %"
    drawn(driver, "kitchen.temperature")
    assert "Last day " in in_card(driver, "kitchen.temperature", "figcaption").text
    assert "Expected " in in_card(driver, "kitchen.temperature", "figcaption").text
    assert driver.title == "(2) Fieldcast"
    assert errors(driver) == []


def test_says_what_needs_attention(driver, server):
    opened(driver, server)
    assert in_card(driver, "office.temperature", ".badges").text == "2 alerts"
    assert in_card(driver, "cellar.humidity", ".badges").text == "quarantined"
    assert in_card(driver, "bedroom.humidity", ".badges").text == "silent"
    assert "5 h ago" in in_card(driver, "bedroom.humidity", ".now").text
    badge = in_card(driver, "bathroom.temperature", ".badge")
    assert badge.text == "skill lost"
    assert badge.get_attribute("title").endswith("A new model has been asked for.")
    button = driver.find_element(By.ID, "attention")
    assert button.text == "Needs attention (4)"
    button.click()
    assert [c.get_attribute("data-series") for c in cards(driver)] == [
        "office.temperature", "cellar.humidity", "bedroom.humidity", "bathroom.temperature"]
    assert button.get_attribute("aria-pressed") == "true"
    assert driver.current_url.endswith("?attention")


def test_few_scores_say_nothing_yet(driver, server):
    """Against one calm hour any forecast looks a thousand times worse; the monitor waits for twelve as well."""
    server.world.quality = {"mae_12h": 4.3, "skill_24h": -21.65, "coverage": 1, "n": 11}
    opened(driver, server)
    skill = in_card(driver, "kitchen.temperature", ".skill")
    assert skill.text == "–" and "12 hours" in skill.get_attribute("title")
    assert in_card(driver, "kitchen.temperature", ".error").text == "4.3 °C"
    server.world.quality["n"] = 12
    opened(driver, server)
    assert in_card(driver, "kitchen.temperature", ".skill").text == "−2165 %"


def test_no_model_yet(driver, server):
    opened(driver, server)
    drawn(driver, "bathroom.co2")  # measured, though not forecast
    assert in_card(driver, "bathroom.co2", ".model").text == "none yet"
    assert in_card(driver, "bathroom.co2", ".error").text == "–"
    assert "fewer than 24 complete hours" in in_card(driver, "bathroom.co2", "figcaption").text


def test_first_hours(driver, server):
    server.world.mode = "young"
    opened(driver, server)
    plot = in_card(driver, "kitchen.temperature", ".plot")
    wait(driver, lambda d: "fewer than 24 complete hours" in plot.text)


def test_without_the_last_readings(driver, server):
    """The predictor is away: the monitor's last hour is shown, and called that."""
    server.world.mode = "hourly"
    opened(driver, server)
    age = in_card(driver, "kitchen.temperature", ".age").text
    assert age.startswith("mean of the hour from 09:00") and "20" not in age
    assert in_card(driver, "kitchen.temperature", ".badges").text == "ok"


def test_a_sensor_that_has_been_away_for_days(driver, server):
    server.world.mode = "hourly"
    server.world.silent_h = 72
    opened(driver, server)
    age = in_card(driver, "kitchen.temperature", ".age").text
    assert "Nov" in age and "17" in age and "10:00" in age, age  # a clock time alone would be today's
    plot = in_card(driver, "kitchen.temperature", ".plot")
    wait(driver, lambda d: plot.text == "Nothing was measured in the last day.")


def test_find_and_share(driver, server):
    opened(driver, server)
    box = driver.find_element(By.ID, "filter")
    box.send_keys("hum kit")
    wait(driver, lambda d: len(cards(d)) == 1)
    assert driver.current_url.endswith("?find=hum+kit")
    box.send_keys("xyz")
    wait(driver, lambda d: text(d, ".message") == "No series fits.")
    opened(driver, server, "?find=attic")
    assert len(cards(driver)) == 3


def test_many_series(driver, server):
    server.world.devices = ROOMS + [f"device-{i:04d}" for i in range(7, 101)]
    opened(driver, server)
    assert len(cards(driver)) == 24
    assert text(driver, "#page") == "1 to 24 of 300"
    assert not driver.find_element(By.ID, "previous").is_enabled()
    wait(driver, lambda d: d.find_elements(By.CSS_SELECTOR, "canvas"))
    # what is out of view was not asked for
    plots = {q["series"][0] for path, q in server.world.asked if "series" in q}
    assert 0 < len(plots) < 20
    driver.find_element(By.ID, "next").click()
    wait(driver, lambda d: text(d, "#page") == "25 to 48 of 300")
    assert driver.current_url.endswith("?page=2")
    ms = driver.execute_script(
        "return performance.getEntriesByType('resource').find(r => r.name.includes('status')).responseEnd")
    assert ms < 3000


def test_lists_in_several_answers(driver, server):
    server.world.page_size = 7
    opened(driver, server)
    assert len(cards(driver)) == 18
    assert in_card(driver, "attic.pressure", ".age").text.endswith("min ago")


def test_empty(driver, server):
    server.world.mode = "empty"
    opened(driver, server)
    assert text(driver, ".message").startswith("There are no series yet.")
    assert text(driver, "#summary").startswith("0 series · no alerts")


def test_error_in_the_servers_words(driver, server):
    server.world.mode = "error"
    driver.get(server.url)
    wait(driver, lambda d: "waiting for postgres" in text(d, "#notice"))
    assert "postgres. Trying again every 30 s." in text(driver, "#notice")
    server.world.mode = "fine"
    driver.find_element(By.ID, "retry").click()
    wait(driver, lambda d: len(cards(d)) == 18)
    assert not driver.find_element(By.ID, "notice").is_displayed()


@pytest.mark.parametrize("mode, words", [
    ("html", "The server answered with status 502."),
    ("cut", "cut short or is not JSON"),
])
def test_error_without_words(driver, server, mode, words):
    server.world.mode = mode
    driver.get(server.url)
    wait(driver, lambda d: words in text(d, "#notice"))


def test_stale_and_back(fast, server):
    opened(fast, server)
    server.world.mode = "error"
    wait(fast, lambda d: "What you see is from" in text(d, "#notice"))
    assert len(cards(fast)) == 18  # what was known stays
    assert "stale" in fast.find_element(By.TAG_NAME, "body").get_attribute("class")
    assert "waiting for postgres" in fast.find_element(By.ID, "live").get_attribute("textContent")
    server.world.mode = "fine"
    wait(fast, lambda d: not d.find_element(By.ID, "notice").is_displayed())
    assert "stale" not in fast.find_element(By.TAG_NAME, "body").get_attribute("class")


def test_offline(fast, server):
    opened(fast, server)
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    fast.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **network})
    wait(fast, lambda d: text(d, "#notice").startswith("This device is offline."))
    fast.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **network})
    wait(fast, lambda d: not d.find_element(By.ID, "notice").is_displayed())


def test_token(driver, server):
    server.world.mode = "token"
    driver.get(server.url)
    form = wait(driver, lambda d: d.find_element(By.ID, "token-form"))
    wait(driver, lambda d: form.is_displayed())
    assert text(driver, "#token-text") == "This request needs a bearer token."
    assert driver.execute_script("return sessionStorage.length + localStorage.length") == 0
    box = driver.find_element(By.ID, "token")
    box.send_keys("wrong", Keys.ENTER)
    wait(driver, lambda d: "It was not accepted" in text(d, "#token-text"))
    box.send_keys(TOKEN, Keys.ENTER)
    wait(driver, lambda d: len(cards(d)) == 18)
    assert not form.is_displayed()
    assert driver.execute_script("return localStorage.length") == 0
    assert TOKEN not in driver.page_source
    driver.refresh()
    wait(driver, lambda d: len(cards(d)) == 18)
    driver.find_element(By.ID, "forget").click()
    wait(driver, lambda d: d.find_element(By.ID, "token-form").is_displayed())


def test_refreshes_only_while_looked_at(fast, server):
    opened(fast, server)

    def asked():
        return sum(path == "/api/v1/status" for path, _ in server.world.asked)

    before = asked()
    wait(fast, lambda d: asked() >= before + 2)
    fast.execute_script("""
        Object.defineProperty(document, 'hidden', {value: true, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));""")
    paused = asked()
    with pytest.raises(TimeoutException):
        wait(fast, lambda d: asked() > paused + 1, seconds=2)
    fast.execute_script("""
        delete document.hidden;
        document.dispatchEvent(new Event('visibilitychange'));""")
    wait(fast, lambda d: asked() > paused + 2)


def test_values_move_without_redrawing_all(fast, server):
    opened(fast, server)
    drawn(fast, "kitchen.temperature")
    element, canvas = card(fast, "kitchen.temperature"), in_card(fast, "kitchen.temperature", "canvas")
    old = text(fast, "#summary")
    server.world.now = server.world.now.replace(minute=40)
    wait(fast, lambda d: text(d, "#summary") != old)
    assert card(fast, "kitchen.temperature") == element
    assert in_card(fast, "kitchen.temperature", "canvas") == canvas


def test_keyboard(driver, server):
    opened(driver, server)
    drawn(driver, "kitchen.temperature")
    figure = in_card(driver, "kitchen.temperature", "figure")
    caption = in_card(driver, "kitchen.temperature", "figcaption")
    driver.execute_script("arguments[0].focus()", figure)
    figure.send_keys(Keys.HOME)
    wait(driver, lambda d: "measured " in caption.text)
    first = caption.text
    figure.send_keys(Keys.ARROW_RIGHT)
    wait(driver, lambda d: "measured " in caption.text and caption.text != first)
    figure.send_keys(Keys.END)
    wait(driver, lambda d: "expected " in caption.text and "range" in caption.text)
    assert caption.find_element(By.TAG_NAME, "time").get_attribute("title").endswith(" UTC")


def test_table_twin(driver, server):
    opened(driver, server)
    drawn(driver, "kitchen.temperature")
    in_card(driver, "kitchen.temperature", "details summary").click()
    table = wait(driver, lambda d: card(d, "kitchen.temperature").find_elements(By.TAG_NAME, "table"))[0]
    assert table.find_element(By.TAG_NAME, "caption").text == "kitchen.temperature, hour by hour"
    assert [c.text for c in table.find_elements(By.CSS_SELECTOR, "th[scope=col]")] == [
        "Hour", "Measured", "Forecast", "From", "To"]
    rows = table.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert 46 <= len(rows) <= 48
    assert rows[-1].find_elements(By.TAG_NAME, "td")[1].text == ""
    assert all(c.text for c in rows[-1].find_elements(By.TAG_NAME, "td")[2:])


def test_plot_is_described(driver, server):
    opened(driver, server)
    drawn(driver, "office.humidity")
    plot = in_card(driver, "office.humidity", ".plot")
    assert plot.get_attribute("role") == "img"
    assert plot.get_attribute("aria-label").startswith("Plot of office.humidity. Last day ")


def test_readers_zone_with_utc_in_the_title(driver, server):
    driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kolkata"})
    opened(driver, server)
    shown = driver.find_element(By.CSS_SELECTOR, "#summary time")
    assert re.fullmatch(r"(15:50|0?3:50 PM)", shown.text, re.IGNORECASE)
    assert shown.get_attribute("title") == "2026-11-20 10:20 UTC"
    assert shown.get_attribute("datetime") == "2026-11-20T10:20:05.000Z"


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_and_draws(driver, server, width, scheme):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                           {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    try:
        opened(driver, server)
        drawn(driver, "kitchen.temperature")
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        box = in_card(driver, "kitchen.temperature", "canvas").rect
        assert box["width"] <= width and box["height"] >= 140
        assert errors(driver) == []
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_targets_are_large_enough(driver, server):
    opened(driver, server)
    for element in driver.find_elements(By.CSS_SELECTOR, "button, input, summary"):
        if element.is_displayed():
            assert element.rect["height"] >= 24, element.get_attribute("outerHTML")


def test_messages_are_text(driver, server):
    """What a server says is never taken for markup."""
    server.world.devices = ["kitchen"]
    row = server.world.series()[0]
    server.world.series = lambda: [dict(row, champion={"version": 1, "algorithm": "<img src=x>"})]
    opened(driver, server)
    assert in_card(driver, "kitchen.temperature", ".model").text == "<img src=x> v1"
    assert not driver.find_elements(By.CSS_SELECTOR, ".model img")


def colours(css, scheme):
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css.split("@media")[0]))
    dark = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css.split("prefers-color-scheme: dark")[1].split("}")[0]))
    return light if scheme == "light" else {**light, **dark}


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme):
    """WCAG 2.2 AA: 4.5 for text, 3 for the lines of a plot."""
    c = colours((WEB / "assets/style.css").read_text(), scheme)
    for ink, ground in [("ink", "page"), ("ink", "card"), ("soft", "page"), ("soft", "card"),
                        ("accent", "card"), ("accent", "page"), ("card", "accent"), ("good", "good-back"),
                        ("bad", "bad-back"), ("bad", "page"), ("ink", "note-back"), ("soft", "note-back")]:
        assert contrast(c[ink], c[ground]) >= 4.5, (scheme, ink, ground)
    for line in ("measured", "forecast", "faint"):
        assert contrast(c[line], c["card"]) >= 3, (scheme, line)


def test_small():
    files = [p for p in WEB.rglob("*") if p.suffix in (".html", ".js", ".css", ".svg")]
    assert sum(len(gzip.compress(p.read_bytes(), 6)) for p in files) < 100 * 1024


def test_nothing_from_elsewhere():
    """It works offline and under CSP 'self': no address of another host is loaded."""
    for path in WEB.rglob("*"):
        if path.suffix in (".html", ".css", ".js") and "vendor" not in path.parts:
            found = re.findall(r"(?:src|href|url|import|fetch)\W{1,3}(?:https?:)?//[^\s\"')]+", path.read_text())
            assert found == [], path
    assert "MIT" in (WEB / "assets/vendor/uPlot.LICENSE").read_text()
    assert not re.search(r"\son\w+=|\sstyle=", (WEB / "index.html").read_text())
