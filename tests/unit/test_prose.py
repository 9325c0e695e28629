"""Sentences that one would say aloud: words of our old dialect, each with a better one. Spelling is codespell's."""

import re
import subprocess

from infra.runtime.settings import ROOT

BETTER = {
    r"beside": "next to, compared with, in addition to",
    r"anew": "again, from scratch",
    r"who(m)?ever": "anyone who, the one that",
    r"mend(s|ed|ing)?": "fix",
    r"(is|are|was|were|been|be) told": "receives, is notified, learns",
    r"tells(?! apart)": "reports, says",
    r"stands(?! for| out| still|\.)|stood": "is, is written",
    r"so long(?! as)": "this long, as long as",
    r"so many(?! \w+ that)": "this many, N",
    r"so few": "this few",
    r"of (its|their) own": "separate, its own …",
    r"(?<!there )is none": "is not one",
    r"looks? again": "checks again, polls",
    r"the very": "the same, exactly the",
    r"whence|thereof|thrice|hitherto": "a word of this century",
}
PROSE = ("*.py", "*.md", "*.js", "*.yml", "Makefile", ".env.example")
OLD = re.compile(r"(?<![\w`.])(" + "|".join(BETTER) + r")(?![\w`(=])")


def test_sentences_use_words_that_one_would_say_aloud() -> None:
    tracked = subprocess.run(["git", "ls-files", *PROSE], cwd=ROOT, capture_output=True, text=True, check=True)
    found = []
    for name in tracked.stdout.split():
        if name.endswith("test_prose.py") or name.startswith(("infra/assets/", "tests/golden/")):
            continue
        for number, line in enumerate((ROOT / name).read_text().splitlines(), start=1):
            if match := OLD.search(line):
                better = next(words for old, words in BETTER.items() if re.fullmatch(old, match[0]))
                found.append(f"{name}:{number}: {match[0]!r} -> {better}")
    assert found == []
