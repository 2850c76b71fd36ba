"""The garden's pages."""

from __future__ import annotations

from typing import Any, NamedTuple

from wagtail.images.models import Image
from wagtail.models import Page, Site

from example_site.home.models import ContentPage, HomePage, SubscribePage
from wagtail_email_insights.contacts.models import RecipientList

Pictures = dict[str, Image]

INTRO = (
    "Eleven acres of glasshouses, water and wild flowers on the southern side of the hill. "
    "Open every day of the year but one."
)


class Draft(NamedTuple):
    """What one content page is made from; ``second`` is a picture's name and its caption."""

    slug: str
    title: str
    picture: str
    intro: str
    text: str
    second: tuple[str, str] | None = None


CONTENT_PAGES = (
    Draft(
        "visit",
        "Visit",
        "autumn",
        "Hours, tickets and how to find the gate.",
        "<p>The garden opens at nine and closes at dusk. The glasshouses close half an hour "
        "earlier, so that the finches can settle.</p><h2>Getting here</h2><p>Bus 12 stops at the "
        "lower gate. There are racks for two hundred bicycles and a small car park on Hill Lane."
        "</p><h2>Tickets</h2><ul><li>Day ticket: 6</li><li>Families: 14</li><li>Friends of "
        "Fernhill: always free</li></ul>",
        ("glasshouse", "The three halls, seen from the lower gate."),
    ),
    Draft(
        "fern-house",
        "The fern house",
        "ferns",
        "After two winters of repairs the oldest of our glasshouses is green again.",
        "<p>Every pane has been taken out, cleaned and put back. The tree ferns, which spent the "
        "time under fleece, have unrolled <b>forty-one new fronds</b> since January.</p>"
        "<h2>What is new</h2><p>A raised path now leads through the crowns, and a mist line "
        "keeps the air at eighty per cent. Bring a dry cloth for your glasses.</p>",
    ),
    Draft(
        "lily-pond",
        "Lilies on the pond",
        "pond",
        "Thirty kinds of water lily open between ten and four. Here is when to see which.",
        "<p>White lilies open first and close last. The pink ones wait for the sun, and the "
        "night-flowering kind only shows itself on our <i>evening walks</i> in August.</p>"
        "<h2>From the bridge</h2><p>The best view is from the middle of the wooden bridge, "
        "before eleven, when the light still comes from the side.</p>",
    ),
    Draft(
        "meadow",
        "Eight weeks of meadow",
        "meadow",
        "From the first cowslip to the hay cut: what flowers when on the long slope.",
        "<p>The meadow is cut once a year and never fed. That is all the secret there is. By the "
        "middle of June we count more than ninety kinds of flower.</p><h2>Please stay on the "
        "path</h2><p>Larks nest here until July. The mown path is wide enough for two.</p>",
    ),
    Draft(
        "plant-sale",
        "Plant sale",
        "seedlings",
        "Young plants from our own benches, with advice from the people who raised them.",
        "<p>Tomatoes, sweet peas, ferns and far too many courgettes: everything on the tables was "
        "sown here. Come early for the scented pelargoniums.</p><h2>Bring a box</h2><p>We have "
        "paper bags, but a crate travels better. Pots come back to us, please.</p>",
        ("meadow", "Most of these began as seed from our own meadow."),
    ),
)

SUBSCRIBE_TEXT = (
    "<p>One letter a month, written by the people who do the weeding. You can leave with one "
    "click, and we never pass your address on.</p>"
)


def make_site(port: int, pictures: Pictures, lists: list[RecipientList]) -> HomePage:
    """Build the tree of pages in place of Wagtail's welcome page."""
    root = Page.get_first_root_node()
    root.get_children().delete()
    root = Page.objects.get(pk=root.pk)
    home = root.add_child(
        instance=HomePage(
            title="Fernhill Garden", slug="home", intro=INTRO, image=pictures["glasshouse"]
        )
    )
    Site.objects.all().delete()
    Site.objects.create(
        hostname="localhost",
        port=port,
        root_page=home,
        is_default_site=True,
        site_name="Fernhill Garden",
    )
    _publish(home)
    for draft in CONTENT_PAGES:
        _publish(home.add_child(instance=_content_page(draft, pictures)))
    _publish(home.add_child(instance=_subscribe_page(pictures, lists)))
    return home


def _publish(page: Page) -> None:
    """Publish *page* as an editor does, so that it has a date and counts among the newest."""
    page.save_revision().publish()


def _content_page(draft: Draft, pictures: Pictures) -> ContentPage:
    body: list[dict[str, Any]] = [{"type": "text", "value": draft.text}]
    if draft.second:
        name, caption = draft.second
        body.append({"type": "picture", "value": {"image": pictures[name].pk, "caption": caption}})
    return ContentPage(
        title=draft.title,
        slug=draft.slug,
        intro=draft.intro,
        image=pictures[draft.picture],
        body=body,
        search_description=draft.intro,
        show_in_menus=draft.slug in {"visit", "fern-house", "plant-sale"},
    )


def _subscribe_page(pictures: Pictures, lists: list[RecipientList]) -> SubscribePage:
    form = {"recipient_list": lists[0].slug, "heading": lists[0].name, "text": ""}
    return SubscribePage(
        title="Garden letters",
        slug="letters",
        intro="What is in flower, what is in bud, and when the gate is open late.",
        image=pictures["pond"],
        body=[
            {"type": "text", "value": SUBSCRIBE_TEXT},
            {"type": "subscribe_form", "value": form},
        ],
        show_in_menus=True,
    )
