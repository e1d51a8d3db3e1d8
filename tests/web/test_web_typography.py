"""Every French page is written as French is: no mark can leave its word, no apostrophe is a straight one."""

import re

from lxml import html

from gateway.access.roles import Role
from gateway.kernel.dated import data_file
from tests.web.story import post

#: A space at which a line may break before a double mark or inside « ».
LOOSE = re.compile(r"\S*[^\S\u00a0\u202f]+[;:?!%»](?![\w/])|«[^\S\u00a0\u202f]+\S*")
SPACED = re.compile(r"\S*\s+[;:?!%](?![\w/])")
STRAIGHT = re.compile(r"\w*[^\W\d_]'[^\W\d_]\w*")
#: Parts that are written as whoever wrote them did, or that nobody reads.
FOREIGN = "//script | //style | //textarea | //pre | //code | //*[@data-term]"
#: What the simulated platform comments is shown as it came, in both languages.
COMMENTS = [
    step["comment"].rstrip(".")
    for scenario in data_file("simulator.toml")["scenario"].values()
    for step in scenario["steps"]
    if "comment" in step
]
#: The law and a message to a customer are French on English pages too.
FRENCH_PARTS = "//head | //body//*[@lang='fr'] | //*[@id='message']"
APART = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<==)[^&]*")


def pages_of(site, language):
    """The pages that links lead to from the first one, one of each kind, and that of an invoice with much to tell."""
    browser = site.signed_in(Role.ADMINISTRATOR)
    post(browser, "/language", {"language": language})
    waiting, seen = ["/", site.invoice("paid")], {"/"}
    while waiting:
        path = waiting.pop(0)
        answer = browser.get(path)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        page = html.fromstring(answer.text)
        yield path, page
        for link in page.xpath("//a/@href[starts-with(., '/')]"):
            kind = APART.sub("*", link)
            if kind not in seen:
                seen.add(kind)
                waiting.append(link)


def said_on(page, language):
    """What people read: the text, and what fields and buttons say of themselves."""
    for part in page.xpath(FOREIGN if language == "fr" else f"{FOREIGN} | {FRENCH_PARTS}"):
        part.drop_tree()
    text = page.text_content()
    for comment in COMMENTS:
        text = text.replace(comment, "")
    yield text
    yield from page.xpath("//@placeholder | //@aria-label | //@data-confirm | //@title")


def faults_of(site, language, *patterns):
    """What the pages of a language write wrongly, by page."""
    told = {path: list(said_on(page, language)) for path, page in pages_of(site, language)}
    assert len(told) > 20
    found = {
        path: {each[0] for text in texts for one in patterns for each in one.finditer(text)}
        for path, texts in told.items()
    }
    return {path: faults for path, faults in found.items() if faults}


def test_no_line_of_a_french_page_breaks_before_a_double_mark(site):
    assert faults_of(site, "fr", LOOSE, STRAIGHT) == {}


def test_an_english_page_has_no_space_before_its_marks(site):
    assert faults_of(site, "en", SPACED, STRAIGHT) == {}
