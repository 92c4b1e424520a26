"""The words that drawings are labelled with, and random ones when a list will not do.

The screens, the text-only table tasks and the tokenizer of the tiny model read these lists. They are our own
choice of everyday interface words; nothing here knows how a word is drawn or asked for.
"""

from random import Random
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SHAPES: Final = ("circle", "square", "triangle", "star", "diamond", "hexagon", "cross", "heart")
WIDGETS: Final = ("button", "checkbox", "textfield", "slider", "toggle", "menu")
KINDS: Final = SHAPES + WIDGETS
COLORS_RGB: Final[dict[str, tuple[int, int, int]]] = {
    "red": (214, 40, 40),
    "orange": (244, 140, 30),
    "yellow": (246, 214, 50),
    "green": (46, 150, 60),
    "cyan": (60, 205, 215),
    "blue": (40, 80, 210),
    "purple": (130, 60, 180),
    "pink": (245, 130, 190),
    "brown": (125, 78, 40),
    "white": (244, 244, 244),
}
COLORS: Final = tuple(COLORS_RGB)
ROLES: Final = (
    "button", "link", "textbox", "searchbox", "checkbox", "radio", "switch", "tab", "menuitem", "option", "combobox",
    "slider", "icon", "image", "heading", "text", "listitem", "cell",
)  # fmt: skip

ACTIONS: Final = _words(
    """Save Cancel OK Apply Close Open Edit Delete Remove Add New Copy Paste Cut Undo Redo Print Share Send Reply
    Forward Search Find Replace Next Back Previous Continue Finish Submit Reset Clear Refresh Reload Download Upload
    Import Export Install Update Upgrade Start Stop Pause Play Record Resume Retry Skip Accept Decline Allow Deny
    Block Follow Subscribe Login Logout Register Join Leave Buy Order Pay Checkout Book Reserve Compare View Show
    Hide Expand Collapse Select Filter Sort Group Move Rename Duplicate Archive Restore Pin Star Like Comment Report
    Help Learn Enable Disable Connect Disconnect Sync Scan Test Run Build Deploy Publish Preview Confirm Verify
    Browse Attach Create Insert Mute Unmute Zoom Rotate Crop Invite Assign Merge Commit Push Pull Approve Reject Yes
    No Done Go Try Discard Schedule Snooze Translate Format Lock Unlock"""
)
NOUNS: Final = _words(
    """Home Menu File Window Tools Options Settings Profile Account Dashboard Inbox Drafts Sent Trash Spam Calendar
    Contacts Tasks Notes Messages Chat Photos Videos Music Files Folders Documents Downloads Desktop Projects Teams
    Reports Analytics Billing Plans Pricing Products Services About Contact Blog News Careers Support Docs API
    Privacy Terms Security Notifications General Appearance Language Region Time Date Address City Country State
    Name Email Password Username Phone Company Website Message Subject Title Description Amount Price Quantity Total
    Cart Wishlist Orders History Favorites Bookmarks Recent Popular Trending Categories Tags Users Groups Roles
    Permissions Members Admin Network Storage Display Sound Battery Keyboard Mouse Printer Camera Bluetooth Wifi
    Location Weather Maps Traffic Events Tickets Overview Details Summary Reviews Questions Answers Issues Releases
    Branches Pipelines Logs Metrics Alerts Status Activity Layout Table Chart Image Text Link Color Font Size Style
    Page Section Header Footer Sidebar Panel Tab Map List Grid Gallery Library Store Shop Market Bank Card Transfer
    Balance Savings Invoice Receipt Server Database Cloud Domain Device Version License Theme Layer Filters Effects
    Brush Shape Canvas Code Terminal Console Output Problems Debug Extensions Plugins Templates Workspace Board
    Backlog Sprint Roadmap"""
)
SMALL_WORDS: Final = _words(
    """the a an all my your this to from for with in on of and or as by me more up out now new it here not you we is
    are at be do its only one two three file item page mode view dark light free full last first best top left right
    password address changes password account image number day week month year today all selected remember keep
    signed terms conditions receive emails send notifications show hidden sign log get started read learn how what
    see add cart code card policy"""
)
SYLLABLES: Final = _words(
    """ba be bi bo bu ca ce co cu da de di do du fa fe fi fo ga ge go gu ha he hi ho ja jo ju ka ke ki ko la le li lo
    lu ma me mi mo mu na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we wi
    ya yo za ze zo an ar el en er es in is on or os un th sh ch st tr pl ex qu ing ed ly"""
)
PHRASES: Final = tuple(
    """Sign in|Sign up|Log in|Log out|Get started|Learn more|Read more|Add to cart|Buy now|Save as|Save changes|
    Forgot password|Remember me|Keep me signed in|Dark mode|Contact us|About us|Privacy policy|Terms of service|
    Select all|Clear all|Show more|View all|See all|Go back|New file|New folder|New window|New tab|Open file|
    Create account|Delete account|Change password|Try again|Not now|Send message|Add comment|Full name|First name|
    Last name|Email address|Phone number|Card number|Search products|Start free trial|Watch demo|Download now|
    Track order|Apply filters|Sort by|Mark as read|Add item|Check for updates""".replace("\n", "").split("|")
)
PHRASES_CLEAN: Final = tuple(phrase.strip() for phrase in PHRASES)


def pseudo_word(rng: Random) -> str:
    """A word nobody has seen: 2-4 syllables, sometimes capitalised or with digits, so that matching cannot be by rote."""
    word = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4)))
    draw = rng.random()
    if draw < 0.5:
        word = word.capitalize()
    elif draw < 0.6:
        word = word.upper()
    return word + str(rng.randint(0, 999)) if rng.random() < 0.1 else word


def label(rng: Random) -> str:
    """A text as an interface shows it: a word, a known phrase, a few words, or words never seen before."""
    draw = rng.random()
    if draw < 0.35:
        return rng.choice(ACTIONS if rng.random() < 0.5 else NOUNS)
    if draw < 0.5:
        return rng.choice(PHRASES_CLEAN)
    if draw < 0.62:
        return f"{rng.choice(ACTIONS)} {rng.choice(NOUNS).lower()}"
    if draw < 0.72:
        words = [rng.choice(NOUNS)] + [rng.choice(SMALL_WORDS) for _ in range(rng.randint(1, 3))]
        return " ".join(words)
    if draw < 0.9:
        return " ".join(pseudo_word(rng) for _ in range(1 if rng.random() < 0.7 else 2))
    return f"{rng.choice(NOUNS)} {pseudo_word(rng)}" if rng.random() < 0.5 else str(rng.randint(1, 9999))
