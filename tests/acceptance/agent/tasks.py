"""Ten tasks of several steps on pages of our own. Each step is one sentence as a person would say it; the page's own state judges."""

from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parent / "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A page, what is said about it one step after the other, and JavaScript that is true when the wish is fulfilled."""

    name: str
    steps: tuple[str, ...]
    done: str
    size_wh: tuple[int, int] = (1280, 800)

    @property
    def url(self) -> str:
        return (PAGES / f"{self.name}.html").as_uri()


TASKS = (
    Task(
        name="login",
        steps=(
            'Type "ada@example.org" into the email address field',
            'Type "engine43" into the password field',
            "Check Remember me",
            "Sign in",
            'Type "engine42" into the password field',
            "Click the Sign in button",
        ),
        done="state.user === 'ada@example.org' && state.remember",
    ),
    Task(
        name="bookshop",
        steps=(
            "Search for whale",
            "Check In stock",
            "Choose Price, low to high in Sort by",
            "Open The Whale Watchers",
        ),
        done="state.query === 'whale' && state.stock && state.sort === 'price' && state.opened === 'The Whale Watchers'",
    ),
    Task(
        name="wizard",
        steps=(
            "Choose Business",
            "Click Next",
            "Enter Analytical Engines Ltd in Company name",
            "Enter 12 in Number of seats",
            "Go to the next step",
            "Click the green button at the bottom right",
        ),
        done="state.done && state.plan === 'Business' && state.company === 'Analytical Engines Ltd' && state.seats === '12'",
        size_wh=(1100, 760),
    ),
    Task(
        name="settings",
        steps=(
            "Turn on Dark mode",
            "Open Notifications",
            "Turn off Email notifications",
            "Click Privacy",
            "Toggle the second switch",
            "Save the changes",
        ),
        done="state.saved && state.saved.dark && !state.saved.email && state.saved.visible && state.saved.usage && state.saved.sounds",
    ),
    Task(
        name="calendar",
        steps=(
            "Click the Departure field",
            "Click the arrow to the right of March 2027",
            "Click 17",
            "Press the Find sailings button",
        ),
        done="state.searched === '17 April 2027'",
        size_wh=(1024, 768),
    ),
    Task(
        name="shop",
        steps=(
            "Add the teapot to the cart",
            "Click Add to cart below Egg cup",
            "Open the cart",
            "Click + in the row of Egg cup",
            "Remove the Teapot",
            "Place the order",
        ),
        done="state.ordered && JSON.stringify(state.ordered) === JSON.stringify({'Egg cup': 2})",
    ),
    Task(
        name="people",
        steps=(
            "Click Edit in the row of Alan Turing",
            "Click the Remove button in the row of Grace Hopper",
            "Confirm with Yes, remove",
            "Click the last Remove button",
            "Click the red button in the dialog",
        ),
        done="state.edited === 'Alan Turing' && state.people.length === 4 && !state.people.some((p) => p[0].startsWith('Grace') || p[0].startsWith('Donald'))",
    ),
    Task(
        name="editor",
        steps=("Open the View menu", "Choose Show grid", "Open the File menu", "Click Export as PDF"),
        done="JSON.stringify(state.done) === JSON.stringify(['Show grid', 'Export as PDF'])",
        size_wh=(1200, 720),
    ),
    Task(
        name="signup",
        steps=(
            "Type Edsger Dijkstra into Full name",
            "Type edsger at example.org into Email",
            "Choose Student",
            "Check the box I accept the rules of the library",
            "Send the application",
            "Type edsger@example.org into the Email field",
            "Choose Norway in Country",
            "Click Send application",
        ),
        done="state.refused === 1 && state.sent && state.sent.name === 'Edsger Dijkstra' && state.sent.email === 'edsger@example.org' && state.sent.country === 'Norway' && state.sent.card === 'student'",
        size_wh=(1024, 640),
    ),
    Task(
        name="inbox",
        steps=(
            "Go to the Drafts tab",
            "Click Inbox",
            'Open the message "Photos from the lake"',
            "Write a new message",
            "Type noor@example.org into To",
            'Type "The lake" into the Subject field',
            "Type Thank you, they are lovely! into the message",
            "Send it",
        ),
        done="state.visited.join() === 'Inbox,Drafts,Inbox' && state.opened === 'Photos from the lake' && state.sent && state.sent.to === 'noor@example.org' && state.sent.subject === 'The lake' && state.sent.text === 'Thank you, they are lovely!'",
    ),
)
