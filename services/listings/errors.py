"""What can go wrong with a listing or with the reading of a manifest."""

from services.kernel.errors import Conflict, Forbidden, NotFound


class MayNotList(Forbidden):
    """Goods are offered by whoever must part with them."""

    code = "may_not_list"

    def __init__(self) -> None:
        super().__init__("Only a verified manufacturer or holder lists goods.")


class NotTheSeller(Forbidden):
    code = "not_the_seller"

    def __init__(self) -> None:
        super().__init__("Only the seller may do this with the listing.")


class ListingIsNotADraft(Conflict):
    """What is published is what bidders read; it is not edited any more."""

    code = "listing_not_draft"

    def __init__(self, status: str) -> None:
        super().__init__(f"Only a draft can be edited; this listing is {status}.")


class KeyTaken(Conflict):
    code = "item_key_taken"

    def __init__(self, key: str) -> None:
        super().__init__(f"Another item of the listing has the key {key!r}.")


class StatedByManifest(Conflict):
    """An item made of a manifest's rows is counted and graded by them."""

    code = "stated_by_manifest"

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{', '.join(names)} follow from the manifest's rows; import the mended rows instead.")


class NoRefusedRows(NotFound):
    """The file exists once the manifest has been read."""

    def __init__(self, import_id: str) -> None:
        super().__init__("file of refused rows for import", import_id)
