"""Hostile texts: answers that some file format or shell gives a meaning of its own."""

# Code points that no line of text may have.
CONTROLS = {*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000)}

# One line of text each, with what some format takes for its own.
HOSTILE = [
    "'\"''' \"\"\" «“”» „",
    "ends with a backslash \\",
    "\\",
    "\\\\",
    "\\\\n \\u0041 \\x41 \\N{DASH} \\U0001F600",
    "$HOME ${HOME} $(touch pwned) `touch pwned` ; touch pwned # %PATH% !! && || > < &",
    "'; touch pwned; '\" + __import__('os').system('touch pwned') + \"",
    "} }} %} #} { { {'{'} {0} {name!r} %s %(name)s {\\{ }}{",
    "key: value - [a, b] {c: d} & *anchor !tag | > % @ ` --- ...",
    "- a list",
    "* a list",
    "+ a list",
    "1. a list",
    "1) a list",
    "2026. A year, no list",
    "# no heading #",
    "a heading's end ##",
    "===",
    "---",
    "***",
    "~~~",
    "> no quotation",
    "    no code",
    "*a* **b** _c_ __d__ ~e~ ~~f~~ `g` ``h`` <b>i</b> [j](k) ![l](m) [n]: o [^p] | q | $r$ $$s$$",
    "&amp; &lt; &#65; &#x41; &copy; &nosuch; R&D AT&T; &",
    "<!-- --> <script>alert(1)</script> </title> <?php ?> ]]>",
    "see https://example.com/a_b*c?d=1&e=2#f and http://example.com/~g, www.example.com/h_i, ftp://example.com/_j_",
    "see https://example.com/docs and www.example.com, or write to a_b@example.com",
    "[tool.uv] = \"x\" # '''",
    "true",
    "null",
    "~",
    "1e3",
    "0x1F",
    "2026-11-23",
    "José 🦤 👩‍👩‍👧 e\u0301 \u202eright to left\u202c \u200f\u200e\ufeff\u00a0\u3000\uffff\ue000\U0010ffff",
    "שלום مرحبا 你好 नमस्ते",
    "x" * 200,
    "word " * 2000 + "end",
    "",
    " ",
    "  spaces  around  ",
    "{{ cookiecutter.project_slug }}",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# a #}",
    "{{",
    "two\nlines",
    "two\r\nlines",
    "a\ttab",
    "\0",
    "\x1b[31mred",
    "\x7f",
    "\x85",
    "\x9f",
    "\u2028",
    "\u2029",
    "\ud800",
    "\udcff",
]


def is_text(answer: str) -> bool:
    """Return whether every prompt for free text accepts this answer."""
    return CONTROLS.isdisjoint(map(ord, answer)) and all(mark not in answer for mark in ("{{", "{%", "{#"))


# All of them in one line, since a bake takes a while. At a prompt, cookiecutter strips spaces.
LINE = " ".join(text for text in HOSTILE if is_text(text) and text == text.strip() != "" and len(text) < 1000)
