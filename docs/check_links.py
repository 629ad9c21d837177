"""Check the built site: ``python docs/check_links.py docs/_build/html``.

Every link that stays on the site leads to a file, and to a place in it. Nothing that a
page needs is on another site. Every page has a description for search engines, except
those that Sphinx generates.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

GENERATED = {"genindex.html", "py-modindex.html", "search.html"}
MIN_DESCRIPTION_LENGTH = 30


class Page(HTMLParser):
    """The places, the links, the parts and the description of a page."""

    def __init__(self, path):
        super().__init__()
        self.places, self.links, self.parts = set(), set(), set()
        self.description = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        """Note what a tag is, leads to, or needs."""
        values = dict(attributes)
        if values.get("name") == "description":
            self.description = values["content"]
        self.places |= {values.get("id"), tag == "a" and values.get("name")}
        is_part = tag != "a" and values.get("rel") not in ("canonical", "search")
        for value in (values.get("href"), values.get("src")):
            if value:
                (self.parts if is_part else self.links).add(value)


def faults(site):
    """Yield what is wrong with a site, in words."""
    pages = {
        path: Page(path)
        for path in sorted(site.rglob("*.html"))
        if path.relative_to(site).parts[0] != "_static"
    }
    if not pages:
        yield f"There are no pages in {site}."
    for path, page in pages.items():
        where = path.relative_to(site)
        if (
            len(page.description) < MIN_DESCRIPTION_LENGTH
            and where.name not in GENERATED
        ):
            yield f"{where} has the description {page.description!r}, too short."
        for target in sorted(page.links | page.parts):
            url = urlsplit(target)
            if url.scheme or url.netloc:
                if target in page.parts and url.scheme != "data":
                    yield f"{where} needs {target}, which is elsewhere."
                continue
            file = path
            if url.path:
                file = (path.parent / unquote(url.path)).resolve()
            if file.is_dir():
                file /= "index.html"
            if not file.is_file():
                yield f"{where} links to {target}, which is no file."
            elif file in pages and url.fragment:
                if unquote(url.fragment) not in pages[file].places:
                    yield f"{where} links to {target}, which has no such place."


def main(site):
    """Print what is wrong, and return the number of faults."""
    found = list(faults(Path(site).resolve()))
    print("\n".join([*found, f"{len(found)} faults"]))
    return len(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) > 0)
