"""The report: complete, safe against what claims say, and readable in a browser at the width of a desk and a phone."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise

import claims_of_a_user
import pytest

from fpsolver.errors import StorageError
from fpsolver.validation import Curve, Series, validate, write_report
from fpsolver.validation.figures import drawn
from fpsolver.validation.page import POLICY, html_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--enable-logging=stderr",
    "--no-first-run",
    "--virtual-time-budget=8000",
    "--window-size=1800,1200",
)
WIDTHS = (1280, 390)

# What a browser makes of the page, told to the page that frames it.
MEASURE = """<script>
addEventListener("load", async () => {
  const images = [...document.images];
  const whole = image => image.decode().then(() => image.naturalWidth > 0, () => false);
  const decoded = await Promise.all(images.map(whole));
  const links = [...document.querySelectorAll("a")].map(link => link.getAttribute("href"));
  parent.postMessage({
    width: innerWidth,
    needed: document.documentElement.scrollWidth,
    images: images.length,
    decoded: decoded.filter(Boolean).length,
    narrow: images.filter(image => image.getBoundingClientRect().width < 250).length,
    links: links.length,
    dangling: links.filter(link => !link.startsWith("#") || !document.getElementById(link.slice(1))),
    claims: document.querySelectorAll("section.claim").length,
    disagreeing: document.querySelectorAll("section.claim.disagrees").length,
    requests: performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !/^data:/.test(name)),
  }, "*");
});
</script>"""
FRAMES = """<!DOCTYPE html><title>frames</title><pre id="found"></pre><script>
const found = [];
addEventListener("message", event => {
  found.push(event.data);
  document.getElementById("found").textContent = JSON.stringify(found);
});
</script>"""


@pytest.fixture(scope="module")
def outcomes():
    names = [claims_of_a_user.variance.identifier, claims_of_a_user.wrong.identifier, "user.broken"]
    return validate(names, effort="brief", workers=1)


@pytest.fixture(scope="module")
def page(outcomes, tmp_path_factory):
    return write_report(outcomes, tmp_path_factory.mktemp("report"))


class Outline(HTMLParser):
    """The elements of a page in their order, with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def test_the_page_is_well_formed_and_accessible(page):
    outline = Outline(page.read_text(encoding="utf-8"))
    assert outline.open == []
    assert outline.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and all(below <= above + 1 for above, below in pairwise(levels))
    assert all(cell.get("scope") in ("col", "row") for cell in outline.all("th"))
    assert all(len(image["alt"]) > 20 for image in outline.all("img"))
    identifiers = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(set(identifiers)) == len(identifiers)


def test_every_word_and_number_of_a_claim_is_there(page, outcomes):
    text = Outline(page.read_text(encoding="utf-8")).text
    for outcome in outcomes:
        entry = outcome.claim
        for words in (entry.identifier, entry.title, entry.as_written, entry.verdict, *entry.sources):
            assert words in text
        for finding in outcome.findings:
            assert finding.description in text and finding.error in text
            assert all(item.name in text and item.tolerance_source in text for item in finding.comparisons)
    for words in ("1 of 3 claims", "Seed", "brief", "Fitted slope −", "3.1415926536", "not a number"):
        assert words in text


def test_nothing_outside_the_page_is_asked_for(page):
    text = page.read_text(encoding="utf-8")
    outline = Outline(text)
    addresses = [attributes[key] for _, attributes in outline.elements for key in ("src", "href") if key in attributes]
    assert all(address.startswith(("data:image/svg+xml;base64,", "#claim-")) for address in addresses)
    assert not outline.all("script") and not outline.all("link") and "url(" not in text and "@import" not in text


def test_the_same_numbers_give_the_same_plot(outcomes):
    [series] = outcomes[0].findings[0].series
    assert drawn(series) == drawn(series)


@pytest.mark.parametrize(
    "label", ["e^{−E_b/E₀}, L''_a", "x^2 in $", "50 % # & \\alpha~{", "a^{$}_{\\b} ^{", "", "θ̇_{i,j}^{*}"]
)
def test_any_text_can_label_a_plot(label):
    curve = Curve(label, [1.0, 2.0], [0.0, 1.0])
    assert drawn(Series("s", label, label, (curve,), logarithmic="xy")).startswith("<?xml")


def test_a_report_replaces_a_report_and_nothing_else(outcomes, tmp_path):
    page = write_report(outcomes[:1], tmp_path / "new" / "folder")
    assert write_report(outcomes, page.parent) == page and os.listdir(page.parent) == ["index.html"]
    page.write_text("<html>my own page</html>")
    with pytest.raises(StorageError, match="is no report of claims"):
        write_report(outcomes, page.parent)
    assert page.read_text() == "<html>my own page</html>"
    with pytest.raises(StorageError, match="is a file"):
        write_report(outcomes, page)


def test_a_page_about_nothing(tmp_path):
    assert "0 of 0 claims" in Outline(html_page([])).text


@pytest.fixture(scope="module")
def seen(page, tmp_path_factory):
    """What Chromium finds in frames of two widths, and what it has to complain of; the page itself has a frame too."""
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    folder = tmp_path_factory.mktemp("browser")
    text = page.read_text(encoding="utf-8")
    policy = html.escape(POLICY)
    assert policy in text
    (folder / "measured.html").write_text(text.replace(policy, "").replace("</body>", f"{MEASURE}</body>"), "utf-8")
    frames = [f'<iframe src="measured.html" width="{width}" height="900"></iframe>' for width in WIDTHS]
    (folder / "frames.html").write_text(f'{FRAMES}{"".join(frames)}<iframe src="{page.as_uri()}"></iframe>', "utf-8")
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", (folder / "frames.html").as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    answer = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert answer and answer[1], done.stdout[:500] + done.stderr[-1000:]
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return {frame["width"]: frame for frame in json.loads(html.unescape(answer[1]))}, complaints


@pytest.mark.parametrize("width", WIDTHS)
def test_a_browser_shows_it_whole_at_the_width_of(width, seen, outcomes):
    frame = seen[0][width]
    plots = sum(len(finding.series) for outcome in outcomes for finding in outcome.findings)
    assert frame["needed"] <= width
    assert frame["images"] == frame["decoded"] == plots > 0 and frame["narrow"] == 0
    assert frame["links"] == frame["claims"] == len(outcomes) and frame["dangling"] == []
    assert frame["disagreeing"] == 2
    assert frame["requests"] == []


def test_a_browser_has_nothing_to_complain_of(seen):
    assert seen[1] == []
