"""The paths of names that documents have, shared by all documents: invoices differ in values far more than in paths."""

#: Length of all remembered paths together from which they are forgotten.
_MOST_CHARACTERS = 10_000_000


class PathName:
    """A path of names from the document element down.

    Attributes:
        tags: the tags on it.
        path: the tags joined with one space.
        below: the same without the document element, whose own path is the empty string.
        last: the last tag.
        is_nested: whether an element of that last tag stands above.
    """

    __slots__ = ("below", "is_nested", "last", "longer", "path", "tags")

    def __init__(self, tags: tuple[str, ...]) -> None:
        self.tags = tags
        self.path = " ".join(tags)
        self.below = " ".join(tags[1:])
        self.last = tags[-1]
        self.is_nested = self.last in tags[:-1]
        self.longer = _Longer(self)


class _Longer(dict[str, PathName]):
    """The paths of the children of one path, by their tag; each is there as soon as it is asked for."""

    def __init__(self, above: PathName) -> None:
        super().__init__()
        self._above = above

    def __missing__(self, tag: str) -> PathName:
        found = self[tag] = PathName((*self._above.tags, tag))
        _known.characters += len(found.path)
        return found


class _Known:
    """What is remembered; any thread may add to it or empty it, for equal paths are as good as the same."""

    def __init__(self) -> None:
        self.roots: dict[str, PathName] = {}
        self.characters = 0


_known = _Known()


def path_of_root(tag: str) -> PathName:
    """The path of a document element."""
    if _known.characters > _MOST_CHARACTERS:
        _known.roots, _known.characters = {}, 0
    found = _known.roots.get(tag)
    if found is None:
        found = _known.roots[tag] = PathName((tag,))
    return found
