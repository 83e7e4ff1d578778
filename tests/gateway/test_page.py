"""The page in a real browser: what it shows, what it sends, and what it never does."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.gateway import zoo
from tests.gateway.serving import gateway

sync_api = pytest.importorskip(
    "playwright.sync_api",
    reason="no Playwright: `make setup` installs it from requirements/dev.txt",
)
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = os.environ.get("PENSTOCK_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
if BROWSER is None:
    pytest.skip(
        "no browser: install Debian's `chromium`, or name one in PENSTOCK_BROWSER",
        allow_module_level=True,
    )
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    "--disable-background-networking",
]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[str]:
    """A gateway with one model of each kind."""
    folder = tmp_path_factory.mktemp("models")
    routes = []
    for make in (zoo.every_type, zoo.wide, zoo.long_list, zoo.hostile):
        make().save(folder / f"{make.__name__}.penstock")
        routes.append(route(make.__name__, f"{make.__name__}.penstock"))
    routes.append(route("metrics", "hostile.penstock"))
    two = [{"artifact": "hostile.penstock", "version": name, "weight": 1} for name in ("1", "2")]
    routes.append({"name": "two", "versions": two})
    (folder / "routes.json").write_text(json.dumps({"routes": routes}))
    with gateway(folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, served):
    """A page of its own; it fails the test if anything was wrong with its scripts or its policy."""
    with open_page(browser, served) as page:
        yield page


@contextmanager
def open_page(browser, served, **options):
    context = browser.new_context(base_url=served, **options)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None
    )
    page.set_default_timeout(20_000)
    yield page
    context.close()
    assert not wrong


def route(name, artifact):
    return {"name": name, "versions": [{"artifact": artifact}]}


def show(page, path):
    """Opens the page of a model and waits for its first prediction."""
    page.goto(path)
    page.locator("#outputs > *").first.wait_for()


def answered(page):
    """What the page shows of its features, by name."""
    names = page.locator("#outputs dt").all_text_contents()
    return dict(zip(names, page.locator("#outputs dd").all_text_contents(), strict=True))


def expect(locator):
    return sync_api.expect(locator)


def test_the_models_are_listed_and_lead_to_their_pages(page):
    page.goto("/")
    expect(page.get_by_role("link", name="every_type")).to_be_visible()
    assert page.locator("#models li").count() == 6
    page.get_by_role("link", name="hostile").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("hostile")


def test_a_server_without_models_says_how_to_name_one(browser, tmp_path):
    (tmp_path / "routes.json").write_text('{"routes": []}')
    with gateway(tmp_path) as address, open_page(browser, address) as page:
        page.goto("/")
        expect(page.locator("#lead")).to_contain_text("routes.json")


def test_fifty_models_are_found_by_name(browser, tmp_path):
    zoo.hostile().save(tmp_path / "model.penstock")
    name = "a-very-long-name-of-a-model-that-somebody-generated-and-nobody-will-ever-read"
    routes = [route(f"{name}-{at}", "model.penstock") for at in range(50)]
    (tmp_path / "routes.json").write_text(json.dumps({"routes": routes}))
    with gateway(tmp_path) as address, open_page(browser, address, viewport=PHONE) as page:
        page.goto("/")
        page.get_by_label("Find a model").fill("read-49")
        expect(page.locator("#models li:visible")).to_have_count(1)
        assert_no_overflow(page)


def test_the_form_follows_the_schema_and_is_filled_with_an_example(page):
    show(page, "/every_type")
    labels = [text.split(" (")[0] for text in page.locator("#form label").all_text_contents()]
    assert labels == ["amount", "share", "age", "color", "city", "postcode", "is_new", "at"]
    assert page.get_by_label("amount").input_value() == "12.5"
    assert page.get_by_label("at").input_value() == "2024-05-01T12:30"
    options = page.get_by_label("color").locator("option").all_text_contents()
    assert options == ["missing", "red", "green", zoo.HOSTILE]
    listed = page.locator(f"datalist#{page.get_by_label('city').get_attribute('list')} option")
    assert [option.get_attribute("value") for option in listed.all()] == ["Rome", "Oslo"]
    expect(page.locator("#form")).to_contain_text("0 to 1; what is outside is clipped")


def test_it_predicts_while_one_types(page):
    show(page, "/every_type")
    assert answered(page)["amount_read"] == "12.5"
    page.get_by_label("amount").fill("13.25")
    expect(page.locator("#outputs")).to_contain_text("13.25")
    page.get_by_label("is_new").select_option("false")
    page.get_by_label("at").fill("2024-05-01T00:00:01")
    expect(page.locator("#outputs")).to_contain_text("1714521601000000")
    assert answered(page)["is_new_read"] == "0"


def test_what_was_emptied_is_sent_as_missing(page):
    show(page, "/every_type")
    page.get_by_label("age").fill("")
    page.get_by_label("color").select_option("missing")
    expect(page.locator("#outputs")).to_contain_text("age_readmissing")
    expect(page.locator("#outputs")).to_contain_text("color_readmissing")


def test_typing_fast_asks_once(page):
    show(page, "/every_type")
    sent = []
    page.on("request", lambda request: sent.append(request) if "/predict" in request.url else None)
    page.get_by_label("amount").press_sequentially("123", delay=5)
    expect(page.locator("#input-0-say")).not_to_be_empty()
    assert len(sent) == 1


def test_an_answer_that_comes_late_is_dropped(page):
    show(page, "/every_type")
    held = []

    def hold_the_first(route):
        is_first = json.loads(route.request.post_data)["amount"] == 1
        held.append(route) if is_first else route.continue_()

    page.route("**/predict?*", hold_the_first)
    with page.expect_request("**/predict?*"):
        page.get_by_label("amount").fill("1")
    page.get_by_label("amount").fill("2")
    expect(page.locator("#outputs")).to_contain_text("amount_read2")
    for route in held:
        route.fulfill(json={"amount_read": 1, "warnings": []})
    # Asked and answered after the late one, so that the page has seen that.
    page.evaluate("fetch('/livez').then(response => response.text())")
    assert answered(page)["amount_read"] == "2"


def test_a_refused_value_is_told_beside_its_field(page):
    show(page, "/every_type")
    postcode = page.get_by_label("postcode")
    postcode.fill("abc")
    field = page.locator(".field", has=postcode)
    expect(field.locator(".say")).to_contain_text("does not match its pattern")
    expect(postcode).to_have_attribute("aria-invalid", "true")
    assert field.locator(".say").get_attribute("id") in postcode.get_attribute("aria-describedby")
    expect(page.locator("#refusal")).to_contain_text("postcode")
    postcode.fill("54321")
    expect(field.locator(".say")).to_be_empty()
    expect(postcode).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#refusal")).to_be_hidden()


def test_an_unseen_level_is_told_beside_its_field(page):
    show(page, "/every_type")
    city = page.get_by_label("city")
    city.fill("Paris")
    said = page.locator(".field", has=city).locator(".say")
    expect(said).to_have_text("“Paris” was not seen in training")


def test_a_text_in_a_number_is_judged_by_the_server(page):
    show(page, "/every_type")
    page.get_by_label("amount").fill("twelve")
    expect(page.locator("#input-0-say")).to_contain_text("takes a number")


def test_digits_of_a_number_are_sent_as_they_were_typed(page):
    show(page, "/wide")
    page.get_by_label("input_000").fill("9007199254740993")
    expect(page.locator("#input-0-say")).to_contain_text("9007199254740993")


def test_probabilities_are_bars_and_reasons_are_told(page):
    show(page, "/hostile")
    bars = page.locator("#outputs .bars li")
    assert bars.count() == 2
    page.get_by_label("distance").fill("10")
    page.get_by_label("carrier").fill("UA")
    expect(page.locator("#outputs .bars .is .name")).to_have_text(zoo.HOSTILE)
    expect(bars.first).to_contain_text("71.1 %")
    shares = bars.first.locator(".fill").evaluate("fill => fill.style.width")
    assert shares.startswith("71.09")


def test_names_levels_and_labels_stay_text(page):
    show(page, "/hostile")
    assert page.locator("main script, main b:not(#headline b)").count() == 0
    show(page, "/every_type")
    page.get_by_label("color").select_option(zoo.HOSTILE)
    expect(page.locator("#outputs")).to_contain_text(zoo.HOSTILE)
    assert page.locator("main script").count() == 0
    assert page.title() == "every_type · Penstock"


def test_the_request_to_copy_answers_the_same(page, served):
    show(page, "/every_type")
    page.get_by_label("city").fill('O\'Hare "north"')
    expect(page.locator("#python")).to_contain_text("O'Hare")
    told = json.loads(run(["bash", "-c", page.locator("#curl").text_content()]))
    python = run(["python3", "-c", page.locator("#python").text_content()])
    assert told["amount_read"] == 12.5
    assert "'amount_read': 12.5" in python


def test_copying_says_that_it_did(browser, served):
    with open_page(browser, served, permissions=["clipboard-read", "clipboard-write"]) as page:
        show(page, "/hostile")
        page.locator("#copy-curl").click()
        expect(page.locator("#copy-curl")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator("#curl").text_content()


def test_a_version_can_be_chosen_and_is_asked_for(page):
    show(page, "/two")
    with page.expect_request("**/predict?*") as asked:
        page.get_by_label("Version").select_option("2")
    assert parse_qs(urlsplit(asked.value.url).query)["version"] == ["2"]
    expect(page.locator("#curl")).to_contain_text("version=2")


def test_a_server_that_is_gone_is_told_and_found_again(browser, tmp_path):
    zoo.hostile().save(tmp_path / "late.penstock")
    with gateway(tmp_path / "late.penstock") as address, open_page(browser, address) as page:
        show(page, "/late")
        page.context.set_offline(True)
        page.get_by_label("distance").fill("3")
        expect(page.locator("#notice")).to_contain_text("does not answer")
        page.context.set_offline(False)
        expect(page.locator("#notice")).to_be_hidden()
        expect(page.locator("#outputs .bars .is .value")).to_have_text("100.0 %")


def test_an_unknown_model_is_told(page):
    response = page.goto("/nothing")
    assert response.status == 404
    expect(page.locator("#notice")).to_contain_text("there is no model `nothing`")


def test_a_token_is_asked_for_where_one_is_wanted(page):
    def refuse(route):
        if route.request.headers.get("authorization") == "Bearer open sesame":
            return route.continue_()
        problem = {"status": 401, "code": "unauthorized", "detail": "send a token"}
        return route.fulfill(status=401, json=problem, content_type="application/problem+json")

    page.route("**/v1/**", refuse)
    page.goto("/hostile")
    page.get_by_label("Access token").fill("open sesame")
    page.get_by_role("button", name="Use this token").click()
    page.locator("#outputs > *").first.wait_for()
    expect(page.locator("#access")).to_be_hidden()
    expect(page.locator("#curl")).to_contain_text("Authorization: Bearer $PENSTOCK_TOKEN")


METRICS = """
penstock_requests_total{route="hostile",version="1",status="200"} 1990
penstock_requests_total{route="hostile",version="1",status="422"} 10
penstock_requests_total{route="other",version="1",status="200"} 5
penstock_request_duration_seconds_bucket{route="hostile",version="1",le="0.0001"} 1000
penstock_request_duration_seconds_bucket{route="hostile",version="1",le="0.001"} 2000
penstock_request_duration_seconds_bucket{route="hostile",version="1",le="+Inf"} 2000
"""


def test_counts_and_latencies_are_read_from_the_metrics(page):
    page.route("**/metrics", lambda route: route.fulfill(body=METRICS, content_type="text/plain"))
    show(page, "/hostile")
    stats = page.locator("#stats")
    expect(stats).to_contain_text("Requests2,000")
    expect(stats).to_contain_text("p50100 µs")
    expect(stats).to_contain_text("p95910 µs")


def test_without_metrics_there_is_no_panel(page):
    page.route("**/metrics", lambda route: route.fulfill(status=404, json={}))
    with page.expect_response("**/metrics"):
        show(page, "/hostile")
    expect(page.locator("#live")).to_be_hidden()


def test_five_hundred_inputs_are_searched(page):
    show(page, "/wide")
    page.get_by_label("Find an input").fill("input_49")
    expect(page.locator(".field:visible")).to_have_count(10)
    expect(page.locator("#found")).to_have_text("10 of 500")


def test_thousands_of_levels_are_searched_by_typing(page):
    show(page, "/long_list")
    field = page.get_by_label("a_rather_long_name")
    assert page.locator("datalist option").count() == 4000
    field.fill("level 3999")
    expect(page.locator("#outputs .label")).to_have_text("3999")


def test_everything_is_reached_by_keyboard(page):
    show(page, "/hostile")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.textContent")
        )
    wanted = [
        "example",
        "clear",
        "input-0",
        "input-1",
        "copy-curl",
        "curl",
        "copy-python",
        "python",
    ]
    assert [name for name in reached if name in wanted] == wanted
    assert reached[0] == "Skip to the inputs"


def assert_no_overflow(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("path", ["/", "/every_type", "/hostile", "/long_list"])
def test_nothing_overflows_on_a_phone(browser, served, path):
    with open_page(browser, served, viewport=PHONE) as page:
        page.goto(path)
        page.locator("#models li, #outputs > *").first.wait_for()
        assert_no_overflow(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/every_type", "/hostile", "/two"])
def test_axe_finds_nothing(browser, served, path, scheme):
    with open_page(browser, served, color_scheme=scheme) as page:
        page.goto(path)
        page.locator("#models li, #outputs > *").first.wait_for()
        if path == "/every_type":
            page.get_by_label("amount").fill("900")
            expect(page.locator("#input-0-say")).not_to_be_empty()
        found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert found.violations_count == 0, found.generate_report()


def test_pages_are_served_with_strict_headers(page):
    for path in ("/", "/hostile", "/models/metrics", "/page/page.css", "/page/model.js"):
        headers = page.request.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_the_page_stays_small_and_loads_nothing_from_elsewhere(page, served):
    sizes = []
    page.on("response", lambda got: sizes.append((got.url, got)))
    show(page, "/hostile")
    urls = [url for url, _ in sizes]
    assert all(url.startswith((served, "data:")) for url in urls)
    own = [got for url, got in sizes if "/page/" in url or url.endswith("/hostile")]
    assert sum(len(got.body()) for got in own if got.request.method == "GET") < 60_000


def run(command):
    import subprocess

    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
