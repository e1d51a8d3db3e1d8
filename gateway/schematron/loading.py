"""From a file of rules to rules that run."""

import re
from pathlib import Path

from gateway.schematron.cache import cache_key, cached_code, default_cache_dir
from gateway.schematron.errors import StylesheetError
from gateway.schematron.rules import Rules

_DOCUMENT_CALL = re.compile(rb"""document\(\s*(?:'([^']+)'|"([^"]+)"|&quot;([^&]+)&quot;|&apos;([^&]+)&apos;)\s*\)""")


def load_rules(path: Path | str, cache_dir: Path | str | None = None) -> Rules:
    """The rules of a Schematron compiled to XSLT by the ISO skeleton.

    The first call compiles them, which takes seconds, and keeps the result in `cache_dir` (by default
    `default_cache_dir()`); later calls, in any process, take milliseconds. Code lists named by `document('…')` are
    read from the folder of the file.

    Raises StylesheetError when the file, or a code list, cannot be read as one, and UnsupportedConstructError when
    it uses what the engine does not implement.
    """
    path = Path(path)
    try:
        stylesheet = path.read_bytes()
    except OSError as error:
        raise StylesheetError(path, str(error)) from error
    names = {b"".join(groups).decode() for groups in _DOCUMENT_CALL.findall(stylesheet)}
    files = {name: path.parent / name for name in sorted(names) if Path(name).name == name}
    contents: dict[str, bytes] = {}
    for name, file in files.items():
        try:
            contents[name] = file.read_bytes()
        except OSError as error:
            raise StylesheetError(file, str(error)) from error

    def source() -> str:
        # Imported only to compile: rules that are in the cache are there sooner.
        from gateway.schematron.code_lists import read_code_lists
        from gateway.schematron.generator import generate
        from gateway.schematron.stylesheet import read_stylesheet

        return generate(read_stylesheet(path), read_code_lists(files))

    directory = Path(cache_dir) if cache_dir is not None else default_cache_dir()
    return Rules(cached_code(directory, path.name, cache_key(stylesheet, contents), source))
