"""The HTML report in a browser, opened as a file: an empty console, no server asked, and all that a person can do with it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from html_pages import record, row
from html_pages import shown as shown_of_tests

from pytest_clip.report.html import page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="no chromedriver here; apt-get install chromium-driver"),
]
AXE = os.environ.get("AXE_CORE", "")
"""The path of axe.min.js, of npm's axe-core."""


def gates(**more):
    rows = [row(f"accuracy/top1[s{k}]", ("fail", "pass", "unjudged")[k % 3], 0.3 + k / 50, **more) for k in range(12)]
    return [*rows, *(row(f"ood/auroc[o{k}]", "pass", 0.9 - k / 100, ci=[0.6, 0.99], **more) for k in range(4))]


def baseline(k):
    drop = {"run": "run base", "value": 0.9, "drop": k / 100, "ci": [0, 0.1], "p": 0.01, "status": ("pass", "fail")[k % 2], "allowed": 0.05}
    return row(f"accuracy/top1[s{k}]", ("pass", "fail")[k % 2], 0.5, baseline=drop)


RECORDS = {
    "passing": record([row("accuracy/top1[clean]", "pass", 0.9)], exit_status=0),
    "failing": record(gates()),
    "baseline": record([baseline(k) for k in range(9)]),
    "models": record([each for name in ("a", "b <i>", "c") for each in gates(model=name)]),
    "thousand": record([row(f"accuracy/top1[s{k}]", ("pass", "fail")[k % 2], k / 1000) for k in range(1000)]),
    "shown": shown_of_tests(),
    "empty": record([], exit_status=5),
}


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for each in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(each)
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield found
    found.quit()


@pytest.fixture
def opened(driver, tmp_path):
    """Opens the page of a record, `#fragment` and all, and says that the console stayed empty and no server was asked."""

    def open_page(told, fragment="", width=1440):
        file = tmp_path / "report.html"
        file.write_text(page.render(told), "utf-8")
        driver.set_window_size(width, 1000)
        driver.get("about:blank")
        driver.get_log("performance")
        driver.get(f"{file.as_uri()}{fragment}")
        quiet(driver)
        return driver

    return open_page


def quiet(driver):
    assert driver.get_log("browser") == []
    asked = [each["message"] for each in driver.get_log("performance") if '"Network.requestWillBeSent"' in each["message"]]
    assert not [each for each in asked if '"url":"http' in each]


def shown(driver):
    ask = "return [...document.querySelectorAll('ul.gates > li')].filter(e => e.offsetParent).map(e => e.querySelector('.id').textContent)"
    return driver.execute_script(ask)


def wide(driver):
    return driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("width", [1440, 500])
def test_it_opens_without_a_word_and_fits(opened, name, width):
    assert wide(opened(RECORDS[name], width=width)) == 0


def test_filter_and_sort(opened):
    driver = opened(RECORDS["failing"])
    assert len(shown(driver)) == 16
    driver.find_element("css selector", "button[data-status=fail]").click()
    assert shown(driver) == [f"accuracy/top1[s{k}]" for k in (0, 3, 6, 9)]
    assert driver.find_element("id", "shown").text == "4 of 16 gates"
    assert "status=fail" in driver.current_url
    driver.find_element("id", "find").send_keys("S9]")
    assert shown(driver) == ["accuracy/top1[s9]"]
    driver.find_element("id", "find").send_keys("nothing")
    assert shown(driver) == []
    assert driver.find_element("id", "none").is_displayed()
    driver.find_element("id", "clear").click()
    driver.find_element("css selector", "#sort option[value=value]").click()
    assert shown(driver)[:3] == [f"accuracy/top1[s{k}]" for k in (0, 1, 2)]
    again = driver.current_url.partition("#")[2]
    assert shown(opened(RECORDS["failing"], f"#{again}"))[:3] == [f"accuracy/top1[s{k}]" for k in (0, 1, 2)]
    assert shown(opened(RECORDS["failing"], "#q=ood&status=pass")) == ["ood/auroc[o3]", "ood/auroc[o2]", "ood/auroc[o1]", "ood/auroc[o0]"]


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("failing", "gate=ood/auroc[o2]"),
        ("failing", f"gate={quote('ood/auroc[o2]', safe='')}"),
        ("failing", f"gate={quote('ood/auroc[o2]', safe='')}&model=m&data=scenes"),
        ("models", f"gate={quote('ood/auroc[o2]', safe='')}&model={quote('b <i>', safe='')}&data=scenes"),
        ("models", "gate=ood/auroc[o2]"),
    ],
)
def test_a_link_opens_its_gate(opened, name, fragment):
    driver = opened(RECORDS[name], f"#{fragment}")
    found = driver.find_elements("css selector", "ul.gates > li > details[open]")
    assert [each.find_element("css selector", ".id").text for each in found] == ["ood/auroc[o2]"]
    assert ("b <i>" in found[0].text) == ("model=b" in fragment)
    assert driver.execute_script("const r = arguments[0].getBoundingClientRect(); return r.top >= 0 && r.top < innerHeight", found[0])


def test_a_gate_is_opened_by_keys_and_copies_its_command(opened):
    driver = opened(RECORDS["failing"])
    driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    summary = driver.find_element("css selector", "ul.gates > li > details > summary")
    summary.send_keys("\ue007")
    button = driver.find_element("css selector", "ul.gates > li > details[open] button.copier")
    button.click()
    driver.find_element("id", "find").click()
    driver.find_element("id", "find").send_keys("\ue009v")
    assert driver.find_element("id", "find").get_attribute("value") == "pytest -k m"
    quiet(driver)


@pytest.mark.parametrize("styles", ["", "; style-src 'none'"])
def test_with_scripts_and_styles_blocked_it_is_complete_and_in_order(driver, tmp_path, styles):
    file = tmp_path / "report.html"
    policy = f"""<meta http-equiv="Content-Security-Policy" content="script-src 'none'{styles}">"""
    file.write_text(page.render(RECORDS["failing"]).replace("<head>", f"<head>{policy}", 1), "utf-8")
    driver.get(f"{file.as_uri()}#gate=ood/auroc[o2]")
    blocked = driver.get_log("browser")
    assert len(blocked) == (2 if styles else 1)
    assert all("violates the following Content Security Policy directive" in each["message"] for each in blocked)
    assert not driver.find_element("id", "filter").is_displayed()
    heads = [each.text for each in driver.find_elements("tag name", "h2")]
    assert heads == ["The worst gates", "Gates", "Rules", "Meanings", "This run"]
    assert len(driver.find_elements("css selector", "ul.gates > li > details > summary")) == 16
    driver.find_element("css selector", "ul.gates > li > details > summary").click()
    assert "pytest -k m" in driver.find_element("css selector", "ul.gates > li > details[open]").text


@pytest.mark.skipif(not AXE, reason="AXE_CORE is not set to the path of axe-core's axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [each for each in RECORDS if each != "thousand"])  # axe takes minutes for a thousand
def test_axe_finds_nothing(opened, driver, name, scheme):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    opened(RECORDS[name])
    driver.execute_script("for (const each of [...document.querySelectorAll('details')].slice(0, 40)) each.open = true")
    driver.execute_script(Path(AXE).read_text("utf-8"))
    told = driver.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done(r.violations), e => done([{id: String(e), nodes: []}]))"
    )
    assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in told] == []
