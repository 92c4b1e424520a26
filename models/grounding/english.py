"""The closed word classes behind our English rules: one list each, used by `noun_phrases`, `plural` and `query_marks`.

Words only; what they mean for a sentence is said where they are used.
"""


def words(text: str) -> frozenset[str]:
    """Return the words of a list as it is written here."""
    return frozenset(text.split())


DETERMINERS = words(
    "a an the this that these those his her its their my our your some any each every another both all several many few no "
    "one two three four five six seven eight nine ten"
)

PHRASE_ENDS = words(
    "in on at by with without from to into onto upon over under above below beneath underneath behind beside besides between among "
    "near around through across along against toward towards inside outside off out up down before after during for as like than "
    "about past next front top "
    "and or but nor while when where which who whom whose that's because so if then "
    "he she it they we you i him them us me himself herself itself themselves someone something somebody there here what "
    "is are was were be been being am has have had having do does did can could will would may might must should shall "
    "not very just also too still only together apart away back forward nearby each-other"
)

SIDES = words("left right top bottom front back middle side")

VERBS = words(
    "wear wears wearing hold holds holding sit sits sitting stand stands standing ride rides riding walk walks walking run runs running "
    "look looks looking play plays playing eat eats eating drink drinks drinking carry carries carrying use uses using throw throws "
    "throwing catch catches catching watch watches watching read reads reading lie lies lying lay lays laying lean leans leaning jump "
    "jumps jumping hit hits hitting kick kicks kicking pull pulls pulling push pushes pushing talk talks talking smile smiles smiling pose poses "
    "posing show shows showing cover covers covered hang hangs hanging point points pointing chase chases chasing swing swings swinging "
    "park parked parks fly flies flying swim swims swimming cut cuts cutting cook cooks cooking sleep sleeps sleeping "
    "drive drives driving cross crosses crossing feed feeds feeding touch touches touching face faces facing fill fills filled "
    "click press open find see sees seeing follow follows following fall falls falling wait waits waiting stop stops "
    "stopped grab grabs grabbing hug hugs hugging pet pets petting place placed put puts sell sells selling make makes making"
)

QUANTIFIERS = words("several some many few these those all various multiple")

IRREGULAR_PLURALS = words("people men women children feet teeth mice geese oxen cattle police")

SINGULAR_IN_S = words("bus gas lens canvas atlas iris campus circus octopus cactus virus status series species")

COUNTING = words("the these those all first last top next only about over under least most every other my his her")

BEFORE_LETTER = words("of and or to at near than between mark from beside behind above below with is by")
