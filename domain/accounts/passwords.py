"""Which passwords are too easy: short ones, one's own address, and those that everybody tries first."""

SHORTEST, LONGEST = 10, 128
_COMMON = """\
password12 password123 password1234 1234567890 12345678910 qwertyuiop qwerty12345 1q2w3e4r5t 1qaz2wsx3edc
letmein1234 iloveyou12 iloveyou123 administrator welcome123 changeme123 basketball football123 liverpool1
superman123 sunshine123 princess123 qwerty123456 passw0rd123 password!1 0123456789 9876543210 0987654321
"""


def is_weak(password: str, address: str) -> bool:
    plain = password.casefold()
    local = address.partition("@")[0]
    return (
        not SHORTEST <= len(password) <= LONGEST
        or len(set(plain)) < 4
        or plain in _COMMON.split()
        or plain == address
        or plain.strip("0123456789!.-_") in (local, "password", "playhead")
    )
