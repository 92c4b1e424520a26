"""Names that a request gives -> files under the folder of imports, and nothing outside it.

What lies in the folder is the operator's choice, so a link right in it may lead elsewhere; a name or a link deeper down
may not. Called when an import is ordered and again by the worker that reads.
"""

from pathlib import Path, PurePosixPath

from app.errors import Unprocessable
from app.settings import Settings


class OutsideImports(Unprocessable):
    """The path is not in the folder of imports"""

    code = "import.path"


class ImportFolder:
    """The folder of one installation; it need not exist."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.imports_folder

    def find(self, name: str) -> Path:
        """Return the file or folder of this name, absolute; raises OutsideImports. The message tells nothing of the disk."""
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
            raise OutsideImports(f"`{name}` must be a name inside the folder of imports (MARKWISE_IMPORTS).")
        granted = (self.root / path.parts[0]).resolve()
        found = granted.joinpath(*path.parts[1:]).resolve()
        if not found.is_relative_to(granted) or not found.exists():
            raise OutsideImports(f"There is no `{name}` in the folder of imports (MARKWISE_IMPORTS).")
        return found


class Pictures:
    """Finds the pictures of a source under one folder, by the names that its files give."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a picture; None if there is none.

        Published names carry folders that people unpack differently (`images/v1/patch0/a.jpg`), so the name is tried
        whole, then without its first folders one by one.
        """
        if "\0" in name:
            return None
        parts = PurePosixPath(name).parts
        for start in range(len(parts)):
            path = self._folder.joinpath(*parts[start:]).resolve()
            if path.is_relative_to(self._folder) and path.is_file():
                return path.read_bytes()
        return None
