"""What columns and cells are called in English and German offices, in the spelling of `mapping.normal`."""

from services.listings.manifests.mapping import Target

COLUMNS: dict[Target, tuple[str, ...]] = {
    "external_id": (
        "id", "nr", "no", "lfd_nr", "laufende_nummer", "position", "pos", "asset_id", "asset_tag", "asset_no",
        "inventory_no", "inventory_number", "inventarnummer", "inventar_nr", "inv_nr", "return_id", "rma", "rma_no",
        "rma_number", "rma_nummer", "retourennummer", "retouren_nr", "line_id", "reference", "referenz",
        "referenznummer", "lpn", "order_item_id", "item_id", "unit_id", "vorgangsnummer", "belegnummer",
        "geraetenummer", "gerätenummer", "external_reference",
    ),
    "item_key": (
        "item", "article", "article_no", "article_number", "artikel", "artikelnummer", "artikel_nr", "art_nr",
        "sku", "product", "product_id", "product_category", "category", "kategorie", "warengruppe",
        "material_number", "materialnummer", "produkt", "produktgruppe", "part", "asin", "sachnummer",
    ),
    "description": (
        "title", "name", "item_description", "product_name", "product_description", "item_name", "bezeichnung",
        "beschreibung", "artikelbezeichnung", "artikelname", "benennung", "produktname", "produktbezeichnung",
        "text", "kurztext",
    ),
    "quantity": (
        "qty", "pieces", "pcs", "count", "units", "menge", "anzahl", "stück", "stueck", "stk", "stückzahl",
        "stueckzahl",
    ),
    "unit_serial": (
        "serial", "serial_no", "serial_number", "serialnumber", "s/n", "sn", "imei", "seriennummer", "serien_nr",
        "seriennr", "geräteseriennummer", "fabriknummer", "fabrik_nr",
    ),
    "return_reason": (
        "reason", "return_code", "reason_for_return", "reason_code", "grund", "rückgabegrund", "rueckgabegrund",
        "retourengrund", "retourgrund", "reklamationsgrund", "ursache",
    ),
    "fault": (
        "problem", "defect", "fault_code", "fault_description", "failure", "symptom", "issue", "fehler",
        "fehlerbild", "mangel", "fehlerbeschreibung", "fehlercode", "defekt", "schaden", "schadensbild", "störung",
        "stoerung", "remarks", "bemerkung",
    ),
    "condition_grade": (
        "condition", "grade", "state", "item_condition", "cosmetic_grade", "zustand", "zustandsklasse",
        "erhaltungszustand", "güteklasse", "gueteklasse", "repair_status",
    ),
    "waste_code": (
        "ewc", "ewc_code", "low_code", "eural", "eural_code", "list_of_waste", "avv", "avv_code", "avv_nr",
        "avv_nummer", "abfallschlüssel", "abfallschluessel", "abfallschlüsselnummer", "abfallcode", "eak",
        "eak_code",
    ),
    "un_number": ("un", "un_no", "un_nr", "un_nummer", "un_code", "un_id"),
    "mass": (
        "weight", "gross_weight", "net_weight", "total_weight", "total_mass", "gewicht", "masse", "nettogewicht",
        "bruttogewicht", "gesamtgewicht", "gesamtmasse", "stückgewicht",
    ),
    "mass_unit": (
        "weight_unit", "unit_of_weight", "uom", "gewichtseinheit", "masseeinheit", "mengeneinheit", "einheit",
    ),
    "material": ("main_material", "werkstoff", "hauptmaterial", "hauptwerkstoff"),
    "composition": (
        "materials", "material_composition", "bill_of_materials", "zusammensetzung", "materialzusammensetzung",
        "stoffe",
    ),
    "data_bearing": (
        "data_bearing_device", "has_storage", "contains_data", "datenträger", "datentraeger", "enthält_daten",
        "enthaelt_daten", "speichermedium",
    ),
    "brand": ("make", "manufacturer", "maker", "vendor", "marke", "hersteller", "fabrikat"),
    "model": (
        "model_no", "model_number", "model_name", "modell", "modellnummer", "modellbezeichnung", "typ", "type",
        "typbezeichnung",
    ),
    "year": (
        "year_of_manufacture", "manufactured", "build_year", "production_year", "baujahr", "herstellungsjahr",
        "produktionsjahr", "jahr",
    ),
    "gtin": (
        "ean", "ean13", "ean_13", "ean_code", "gtin13", "gtin_13", "gtin14", "upc", "barcode", "strichcode",
        "ean/gtin", "gtin/ean",
    ),
    "mpn": (
        "part_number", "part_no", "manufacturer_part_number", "herstellernummer", "hersteller_nr",
        "herstellerartikelnummer", "teilenummer", "teile_nr", "hersteller_teilenummer",
    ),
    "batch": (
        "lot", "lot_no", "lot_number", "batch_no", "batch_number", "charge", "chargennummer", "chargen_nr", "los",
        "losnummer",
    ),
}  # fmt: skip

REASONS: dict[str, tuple[str, ...]] = {
    "damaged": (
        "damaged_in_transit", "transport_damage", "broken", "beschädigt", "beschaedigt", "transportschaden",
        "bruch", "kaputt",
    ),
    "defective": (
        "defect", "faulty", "not_working", "dead_on_arrival", "doa", "warranty", "defekt", "mangelhaft", "garantie",
        "funktionsstörung", "reklamation", "gewährleistung",
    ),
    "end_of_life": (
        "eol", "end_of_use", "obsolete", "scrap", "altgerät", "altgeraet", "lebensende", "ausgemustert",
        "verschrottung", "nutzungsende",
    ),
    "unsold_inventory": (
        "unsold", "overstock", "excess", "surplus", "unverkauft", "überbestand", "ueberbestand", "restposten",
        "ladenhüter",
    ),
    "product_recall": ("recall", "safety_recall", "rückruf", "rueckruf", "produktrückruf"),
}  # fmt: skip

GRADES: dict[str, tuple[str, ...]] = {
    "new": ("unused", "sealed", "neu", "unbenutzt", "originalverpackt", "ovp", "neuware"),
    "like_new": ("open_box", "wie_neu", "neuwertig", "b_ware"),
    "refurbished": ("renewed", "generalüberholt", "generalueberholt", "aufbereitet", "überholt", "refurbisht"),
    "used_good": ("good", "very_good", "grade_a", "gut", "sehr_gut", "gebraucht_gut"),
    "used_fair": ("fair", "used", "acceptable", "grade_b", "gebraucht", "akzeptabel", "befriedigend"),
    "damaged": ("broken", "grade_c", "poor", "beschädigt", "beschaedigt", "defekt", "schlecht", "kaputt"),
    "salvage": (
        "scrap", "for_parts", "grade_d", "parts_only", "schrott", "ersatzteile", "ersatzteilspender",
        "ausschlachten",
    ),
}  # fmt: skip

UNITS: dict[str, tuple[str, ...]] = {
    "g": ("g", "gr", "gram", "grams", "gramm"),
    "kg": ("kg", "kgs", "kilo", "kilogram", "kilograms", "kilogramm"),
    "t": ("t", "to", "ton", "tonne", "tonnes", "tonnen"),
    "lb": ("lb", "lbs", "pound", "pounds", "pfund"),
}  # fmt: skip
