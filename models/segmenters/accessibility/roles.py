"""Role names of browsers and systems -> the names that the `gui` segmenter, the ranker and the drawings use.

Chromium writes internal roles as `StaticText` or `Iframe`, macOS as `AXButton`, ARIA as `menuitemradio`; all are
compared in lower case. Knows nothing of trees and boxes.
"""

# Things that a person operates: always a mark of their own, and what lies inside them belongs to them.
CONTROLS = frozenset(
    {
        "button", "checkbox", "combobox", "link", "listbox", "menuitem", "option", "radio", "searchbox", "slider",
        "spinbutton", "switch", "tab", "textbox", "treeitem",
    }
)  # fmt: skip
# Things that show text: a mark if they hold text that no control inside them holds already.
CONTENTS = frozenset({"cell", "columnheader", "heading", "label", "listitem", "progressbar", "rowheader", "text"})
# Things whose inside a tree cannot tell.
PICTURES = frozenset({"canvas", "image", "video"})
BLIND = frozenset({"canvas", "embed", "iframe", "video"})
TEXT_LEAF = "statictext"

# Wrappers in running text: what they hold counts as held by what is around them.
_INLINE = {
    "abbr", "code", "deletion", "emphasis", "generic", "ignored", "insertion", "inlinetextbox", "legend", "mark", "none",
    "presentation", "ruby", "section", "span", "strong", "subscript", "superscript", "time", "unknown",
}  # fmt: skip
INLINE = frozenset(_INLINE)

_OTHER_NAMES = {
    "buttondropdown": "button",
    "caption": "text",
    "blockquote": "text",
    "colorwell": "button",
    "comboboxgrouping": "combobox",
    "comboboxmenubutton": "combobox",
    "comboboxselect": "combobox",
    "contentinfo": "contentinfo",
    "date": "textbox",
    "datetime": "textbox",
    "definition": "text",
    "disclosuretriangle": "button",
    "disclosuretrianglegrouped": "button",
    "embeddedobject": "embed",
    "figcaption": "text",
    "graphics-document": "image",
    "graphics-symbol": "image",
    "gridcell": "cell",
    "iframepresentational": "iframe",
    "img": "image",
    "svgroot": "image",
    "inputtime": "textbox",
    "labeltext": "label",
    "listboxoption": "option",
    "menuitemcheckbox": "menuitem",
    "menuitemradio": "menuitem",
    "menulistoption": "option",
    "meter": "progressbar",
    "paragraph": "text",
    "pluginobject": "embed",
    "popupbutton": "combobox",
    "pre": "text",
    "radiobutton": "radio",
    "scrollbar": "scrollbar",
    "spinner": "spinbutton",
    "status": "text",
    "alert": "text",
    "term": "text",
    "textarea": "textbox",
    "textfield": "textbox",
    "textfieldwithcombobox": "combobox",
    "togglebutton": "button",
    "tooltip": "text",
}


def normal_role(raw: str) -> str:
    """Return the project's name of a role; an unknown one in lower case, as it is."""
    role = raw.strip().lower().removeprefix("ax")
    return _OTHER_NAMES.get(role, role)
