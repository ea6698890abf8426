"""Files over HTTP: the object store of the app, an upload as bytes, a download that no browser runs."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, Response, UploadFile

from services.kernel.errors import invalid
from services.kernel.http.routing import runtime_of
from services.kernel.http.schemas import is_storable
from services.kernel.objects import Folder, ObjectStore, StoredFile


def _store(request: Request) -> ObjectStore:
    """`resources["objects"]` where the process was given one, else a folder beside the data."""
    runtime = runtime_of(request)
    store: ObjectStore = runtime.resources.get("objects") or Folder(runtime.settings.data_dir / "objects")
    return store


Objects = Annotated[ObjectStore, Depends(_store)]


def name_of(file: UploadFile) -> str:
    """The last part of what the caller calls it. Raises Invalid (`/file`) for text that cannot be stored."""
    name = (file.filename or "file").replace("\\", "/").rsplit("/", 1)[-1][-200:] or "file"
    if not is_storable(name) or not name.isprintable():
        raise invalid("/file", "text_unstorable", "The file's name may not hold control characters.")
    return name


def download(file: StoredFile, content: bytes) -> Response:
    """As an attachment, of the type it was recognised as."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=file.media_type, headers=headers)
