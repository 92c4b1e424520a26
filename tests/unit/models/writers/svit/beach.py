"""What is known of one picture of a beach, and answers about it as a good teacher would give them."""

from models.facts import ImageFacts, ObjectFact, RegionFact, RelationFact
from models.writers.svit.context import context_of

FACTS = ImageFacts(
    size_hw=(200, 400),
    captions=("A man throws a ball to his dog.", "A dog and a man at the sea."),
    objects=(
        ObjectFact(
            id="1", label="man", bbox_xyxy_px=(40.0, 20.0, 120.0, 180.0), attributes=("tall",), synset="man.n.01"
        ),
        ObjectFact(
            id="2", label="dog", bbox_xyxy_px=(200.0, 100.0, 280.0, 180.0), attributes=("brown",), synset="dog.n.01"
        ),
        ObjectFact(id="3", label="ball", bbox_xyxy_px=(150.0, 40.0, 170.0, 60.0), synset="ball.n.01"),
        ObjectFact(id="4", label="boat", bbox_xyxy_px=(300.0, 10.0, 330.0, 30.0)),
        ObjectFact(id="5", label="boat", bbox_xyxy_px=(350.0, 10.0, 380.0, 30.0)),
    ),
    relations=(RelationFact(subject="1", predicate="throwing", object="3"),),
    regions=(RegionFact(text="the sea behind the dog", bbox_xyxy_px=(0.0, 10.0, 400.0, 90.0)),),
)
CONTEXT = context_of(FACTS)
DOG, MAN = "[0.500, 0.500, 0.700, 0.700]", "[0.100, 0.300, 0.300, 0.700]"


def conversations(talks: int = 3, each: int = 5) -> str:
    """`talks` conversations in the form that was asked for."""
    lines = []
    for talk in range(talks):
        lines += [f"Conversation {talk + 1}", f"Topic: matter {talk}"]
        for number in range(each):
            lines += [f"User: What is thing {talk}.{number}?", f"GPT: It is a ball number {talk}.{number}."]
    return "\n".join(lines)


def reasoning(count: int = 15) -> str:
    """`count` questions in the form that was asked for."""
    return "\n\n".join(f"Question: Why is it so ({n})?\nAnswer: He throws, so it flies ({n})." for n in range(count))


def referring(count: int = 10, answer: str = f"<st>the man<ed> {MAN} throws.") -> str:
    """`count` questions that refer to the dog; the answers to the man."""
    return "\n".join(f"Question: Who plays with <st>the dog<ed> {DOG} ({n})?\nAnswer: {answer}" for n in range(count))


def description(words: int = 100) -> str:
    """A text of `words` words."""
    return " ".join(["wave"] * (words - 1)) + " ends."
