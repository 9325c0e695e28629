"""Why a chunk cannot be read or rewritten."""


class CorruptChunk(Exception):
    """Damaged, cut off or of another profile: its bytes are not what was written for this profile."""


class UnknownSchema(Exception):
    """Sound, but newer than this software: it cannot be read, or it can but not be rewritten without loss."""
