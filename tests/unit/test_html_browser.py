"""The HTML report in a browser, opened as a file: an empty console, no server asked, and all that a person can do with it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from html_pages import record, row
from html_pages import shown as shown_of_tests

from pytest_clip.report.html import page

ASKED = os.environ.get("CLIP_CI_BROWSER") == "1"
"""`.ci/browser`: then nothing is skipped."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ASKED and not shutil.which("chromedriver"), reason="no chromedriver here; .ci/browser installs what these need"),
]
AXE = os.environ.get("AXE_CORE", "")
"""The path of axe.min.js, of npm's axe-core."""


def gates(**more):
    rows = [row(f"accuracy/top1[s{k}]", ("fail", "pass", "unjudged")[k % 3], 0.3 + k / 50, **more) for k in range(12)]
    return [*rows, *(row(f"ood/auroc[o{k}]", "pass", 0.9 - k / 100, ci=[0.6, 0.99], **more) for k in range(4))]


def baseline(k):
    drop = {"run": "run base", "value": 0.9, "drop": k / 100, "ci": [0, 0.1], "p": 0.01, "status": ("pass", "fail")[k % 2], "allowed": 0.05}
    return row(f"accuracy/top1[s{k}]", ("pass", "fail")[k % 2], 0.5, baseline=drop)


GROUPS = {"groups": {"brick": 120, "a long name of a group <b>": 100}, "measured": {"brick": 0.5, "a long name of a group <b>": 0.9}}
RECORDS = {
    "passing": record([row("accuracy/top1[clean]", "pass", 0.9)], exit_status=0),
    "failing": record(gates()),
    "baseline": record([baseline(k) for k in range(9)]),
    "models": record([each for name in ("a", "b <i>", "c") for each in gates(model=name)]),
    "thousand": record([row(f"accuracy/top1[s{k}]", ("pass", "fail")[k % 2], k / 1000) for k in range(1000)]),
    "shown": shown_of_tests(),
    "figures": record(
        [
            *(row(f"groups/worst_accuracy[{c}]", "pass", 0.5, conventions=GROUPS) for c in ("texture", "site-x-scanner")),
            *(
                row(f"corruptions_laion_c/accuracy[{k}-1]", "pass", conventions={"measured": {"without": 0.9}})
                for k in ("stickers", "lines")
            ),
            *(row(f"adversarial/robust_accuracy[linf-{k}]", "pass", 1 / k, conventions={"measured": {"clean": 0.95}}) for k in (2, 4)),
        ]
    ),
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
    found.command_executor.client_config.timeout = 600  # axe, on a machine that has other work
    found.set_script_timeout(500)
    yield found
    found.quit()


@pytest.fixture
def opened(driver, tmp_path):
    """Opens the page of a record, `#fragment` and all, and says that the console stayed empty and no server was asked."""

    def open_page(told, fragment="", width=1440):
        file = tmp_path / "report.html"
        file.write_text(page.render(told), "utf-8")
        screen(driver, width)
        driver.get("about:blank")
        driver.get_log("performance")
        driver.get(f"{file.as_uri()}{fragment}")
        quiet(driver)
        return driver

    return open_page


def screen(driver, width):
    """Windows are never narrower than 500 pixels; what a page is told of its screen is."""
    told = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", told)


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
@pytest.mark.parametrize("width", [1440, 390])
def test_it_opens_without_a_word_and_fits(opened, name, width):
    driver = opened(RECORDS[name], width=width)
    assert driver.execute_script("return [innerWidth, visualViewport.scale]") == [width, 1]  # a page that is too wide is zoomed out of
    assert wide(driver) == 0
    driver.execute_script("for (const each of [...document.querySelectorAll('details')].slice(0, 60)) each.open = true")
    assert (wide(driver), driver.execute_script("return innerWidth")) == (0, width)


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


def test_the_filter_finds_the_words_of_a_verdict_and_the_reason_of_its_rule(opened):
    why = "0.5 < min 0.7 (n = 95)\n  why          agreed with Ann"
    rows = [row(f"accuracy/top1[s{k}]", message=f"accuracy/top1[s{k}]: {why if k else 'no value'}") for k in range(3)]
    driver = opened(record(rows), "#q=ann")
    assert shown(driver) == ["accuracy/top1[s1]", "accuracy/top1[s2]"]
    driver.find_element("id", "clear").click()
    driver.find_element("id", "find").send_keys("no value")
    assert shown(driver) == ["accuracy/top1[s0]"]


def against(drop):
    return {**dict.fromkeys(("ci", "p", "status", "allowed")), "run": "run x", "value": 0.5, "drop": drop}


MIXED = record(
    [
        row("ood/auroc[a]", "pass", 0.9, n=1900, ci=[0.8, 0.95], rule={"min": 0.3, "source": "t.toml:1"}),
        row("accuracy/top1[b]", "fail", 0.2, n=95, rule={"min": 0.5, "source": "t.toml:2"}, baseline=against(0.3)),
        row("calibration/brier[c]", "waived", 0.6, n=190, ci=[0.5, 0.7], rule={"min": 0.55, "source": "t.toml:3"}, baseline=against(-0.1)),
        row("checkpoint/scale[d]", "unjudged", 1.5, n=1000, rule=None, ci=None),
    ]
)
COLUMNS = {
    "verdict": "bcda", "gate": "bcda", "suite": "bcda", "value": "bcad", "interval": "bcad", "bound": "abcd", "room": "bcad",
    "images": "bcda", "drop": "cbda",
}  # fmt: skip
"""By column the gates in ascending order; those without a number come last, whatever the direction."""
LACK = {"interval": "d", "bound": "d", "room": "d", "drop": "da"}


def letters(driver, query):
    told = driver.execute_script(f"return [...document.querySelectorAll({query!r})].map(e => e.textContent)")
    return "".join(each[-2] for each in told)


def test_the_table_of_all_gates_sorts_by_every_column_by_keyboard(opened):
    driver = opened(MIXED)
    driver.find_element("css selector", "#listed > summary").send_keys("\ue007")
    heads = driver.find_elements("css selector", "#listed th[scope=col]")
    assert [each.text for each in heads] == list(COLUMNS)
    for head, (name, up) in zip(heads, COLUMNS.items(), strict=True):
        last = LACK.get(name, "")
        some = up.removesuffix(last)
        for key, told, wanted in (("\ue007", "ascending", some), (" ", "descending", some[::-1])):
            head.find_element("tag name", "button").send_keys(key)
            found = letters(driver, "#listed tbody th")
            assert found[: len(some)] == wanted, (name, told, found)
            assert sorted(found[len(some) :]) == sorted(last)
            assert [each.get_attribute("aria-sort") for each in heads] == [told if each == head else None for each in heads]
    quiet(driver)


def test_gates_sort_by_each_number_both_ways_and_the_address_says_so(opened):
    rows = [{**each, "suite": "accuracy", "metric": "top1", "gate": f"accuracy/top1[{each['slice']}]"} for each in MIXED["gates"]]
    told = {**MIXED, "gates": rows}
    driver = opened(told)
    assert [each.get_attribute("value") for each in driver.find_elements("css selector", "#sort option")] == [
        "",
        "gate",
        "value",
        "bound",
        "room",
        "images",
        "drop",
    ]
    for name in ("value", "bound", "room", "images", "drop"):
        driver.find_element("css selector", f"#sort option[value={name}]").click()
        up, last = COLUMNS[name], LACK.get(name, "")
        some = up.removesuffix(last)
        assert letters(driver, "ul.gates .id")[: len(some)] == some
        driver.find_element("id", "turn").send_keys(" ")
        assert driver.find_element("id", "turn").get_attribute("aria-pressed") == "true"
        assert letters(driver, "ul.gates .id")[: len(some)] == some[::-1], name
        assert sorted(letters(driver, "ul.gates .id")[len(some) :]) == sorted(last)
        again = driver.current_url.partition("#")[2]
        assert again == f"sort={name}&order=down"
        driver.find_element("id", "turn").send_keys(" ")
    assert letters(opened(told, "#sort=images&order=down"), "ul.gates .id") == "adcb"


def test_no_column_of_a_table_is_pressed_to_letters(opened):
    """On a phone a table scrolls sideways in its frame."""
    driver = opened(RECORDS["models"], width=390)
    driver.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    ask = "return [...document.querySelectorAll('tbody th, tbody td')].filter(e => e.offsetParent).map(e => e.clientWidth)"
    assert min(driver.execute_script(ask)) >= 64


def test_the_table_of_all_gates_is_filtered_with_the_gates(opened):
    driver = opened(RECORDS["failing"], "#status=fail")
    driver.find_element("css selector", "#listed > summary").click()
    ask = "return [...document.querySelectorAll('#listed tbody tr')].filter(e => e.offsetParent).length"
    assert driver.execute_script(ask) == 4
    driver.find_element("id", "clear").click()
    assert driver.execute_script(ask) == 16
    driver.find_element("css selector", "#listed tbody a").click()
    assert len(driver.find_elements("css selector", "ul.gates > li > details[open]")) == 1


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
    blocked, until = [], time.monotonic() + 30
    while len(blocked) < (2 if styles else 1) and time.monotonic() < until:  # the browser tells when it finds the time
        blocked += driver.get_log("browser")
    assert len(blocked) == (2 if styles else 1)
    assert all("violates the following Content Security Policy directive" in each["message"] for each in blocked)
    assert not driver.find_element("id", "filter").is_displayed()
    heads = [each.text for each in driver.find_elements("tag name", "h2")]
    assert heads == ["The worst gates", "Gates", "Rules", "Meanings", "This run"]
    assert len(driver.find_elements("css selector", "ul.gates > li > details > summary")) == 16
    driver.find_element("css selector", "ul.gates > li > details > summary").click()
    assert "pytest -k m" in driver.find_element("css selector", "ul.gates > li > details[open]").text


KEEP = """
const [part, parts] = arguments, of = (query) => [...document.querySelectorAll(query)];
for (const query of ["ul.gates > li", "#listed tbody tr", ".numbers tbody tr"])
  of(query).forEach((each, k) => { if (k % parts !== part) each.remove(); });
return of("ul.gates > li").length;
"""


@pytest.mark.skipif(not ASKED and not AXE, reason="AXE_CORE does not name axe-core's axe.min.js; .ci/browser installs what these need")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", RECORDS)
def test_axe_finds_nothing(opened, driver, name, scheme):
    """Of a thousand gates a hundred at a time, with all the rest of the page: axe takes longer for all than the driver waits.
    That no id is there twice is asked of every page in `html_pages`."""
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    parts = 10 if name == "thousand" else 1
    seen = 0
    for part in range(parts):
        opened(RECORDS[name])
        driver.execute_script("for (const each of [...document.querySelectorAll('details')].slice(0, 40)) each.open = true")
        seen += driver.execute_script(KEEP, part, parts)
        driver.execute_script(Path(AXE).read_text("utf-8"))
        told = driver.execute_async_script(
            "const done = arguments[0]; axe.run().then(r => done(r.violations), e => done([{id: String(e), nodes: []}]))"
        )
        assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in told] == []
    assert seen == len(RECORDS[name]["gates"])
