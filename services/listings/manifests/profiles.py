"""Mappings that ship.

`backhaul-1` reads our own column names in any case and order; only the required ones must be there.

`ords-0.3` reads the Open Repair Data Standard 0.3 (Open Repair Alliance). Every row is one piece without a mass, so it
is traded by the piece or lot and weighed at the dock. What its `repair_status` means here:

| repair_status | return reason | condition grade | because |
|---|---|---|---|
| Fixed | defective | used_fair | came in with a fault and works again; nobody has refurbished it |
| Repairable | defective | damaged | does not work, and somebody saw that it can |
| End of life | end_of_life | salvage | somebody saw that it cannot be repaired |
| Unknown | defective | salvage | came in with a fault, outcome unrecorded: no better grade can be vouched for |

The standard says nothing of what things are made of, which is "unknown" here: an answer, where silence is none.
The status is part of the item's key, so all pieces of an item agree in reason and grade. The standard's "Unknown" brand
is no brand.
"""

from services.listings.manifests.mapping import REQUIRED, TARGETS, Column, Constant, Joined, Mapping

BACKHAUL_1 = Mapping({target: Column(target, is_optional=target not in REQUIRED) for target in TARGETS})

ORDS_0_3 = Mapping(
    {
        "external_id": Column("id"),
        "item_key": Joined(("product_category", "repair_status")),
        "description": Column("product_category"),
        "return_reason": Column(
            "repair_status",
            table={
                "Fixed": "defective",
                "Repairable": "defective",
                "End of life": "end_of_life",
                "Unknown": "defective",
            },
        ),
        "condition_grade": Column(
            "repair_status",
            table={"Fixed": "used_fair", "Repairable": "damaged", "End of life": "salvage", "Unknown": "salvage"},
        ),
        "composition": Constant("unknown"),
        "fault": Column("problem", is_optional=True),
        "brand": Column("brand", is_optional=True, blanks=("Unknown",)),
        "year": Column("year_of_manufacture", is_optional=True),
    }
)

PROFILES: dict[str, Mapping] = {"backhaul-1": BACKHAUL_1, "ords-0.3": ORDS_0_3}
