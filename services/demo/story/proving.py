"""February: data erased, material recovered, a certificate issued that anybody can verify."""

import hashlib
from typing import Any

from backhaul_client.models import EvidenceParam, LossParam

from services.demo.stage import Stage, etag, tonnes

OUTPUTS = (
    ("steel", "9.620", "product"),
    ("aluminium", "1.850", "product"),
    ("copper", "2.310", "product"),
    ("plastics", "1.130", "product"),
    ("printed_circuit_boards", "0.310", "downstream"),
    ("black_mass", "0.620", "downstream"),
    ("residue", "1.350", "residue"),
)


def tell(stage: Stage) -> None:
    _erase_the_data(stage)
    _recover(stage)
    _certify(stage)
    _verify(stage)
    _certify_the_modules(stage)


def paper(name: str) -> EvidenceParam:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {"sha256": digest, "name": name, "media_type": "application/pdf", "size": 48_211}


def lost(mass: str) -> LossParam:
    return {"mass": tonnes(mass), "reason": "process"}


def _batches(stage: Stage, name: str, order: str) -> list[Any]:
    mine = stage[name].client.material_batches.list(limit=200)
    return [batch for batch in mine if batch.order_id == order and batch.owner_id == stage[name].org_id]


def _erase_the_data(stage: Stage) -> None:
    stage.go_to(30, "09:00")
    (servers,) = [b for b in _batches(stage, "Rheinkreis", stage.facts["order"]) if b.title == "Rack servers"]
    erased = stage["Rheinkreis"].client.custody_events.create(
        type="modify", inputs=[{"batch_id": servers.id}], activity="data_erasure", evidence=[paper("erasure-log.pdf")]
    )
    stage.say("Rheinkreis", "erases the data of 120 servers", erased.id)


def _recover(stage: Stage) -> None:
    stage.go_to(32, "15:00")
    batches = _batches(stage, "Rheinkreis", stage.facts["order"])
    made = stage["Rheinkreis"].client.custody_events.create(
        type="make",
        operation="R4",
        inputs=[{"batch_id": batch.id} for batch in batches],
        outputs=[{"material": m, "mass": tonnes(t), "disposition": d} for m, t, d in OUTPUTS],
        loss=lost("0.150"),
        evidence=[paper("scale-tickets.pdf")],
    )
    stage.settle()
    stage.say(
        "Rheinkreis", "recovers: 17.340 = 14.910 products + 0.930 downstream + 1.350 residue + 0.150 loss", made.id
    )


def _certify(stage: Stage) -> None:
    stage.go_to(35, "10:00")
    holder, verifier = stage["Rheinkreis"].client, stage["Prüfwerk"].client
    (draft,) = [one for one in holder.certificates.list() if one.status == "draft"]
    submitted = holder.certificates.submit(
        draft.id,
        verifier_id=stage["Prüfwerk"].org_id,
        evidence=[paper("scale-tickets.pdf"), paper("erasure-log.pdf")],
        goods="end-of-life equipment",
        distance_km="231",
    )
    stage.say("Rheinkreis", "submits it to Prüfwerk, mass reserved", submitted.status, submitted.id)
    stage.go_to(37, "09:00")
    issued = _issue(verifier, draft.id)
    stage.settle()
    version = issued.current_version
    stage.facts["certificate"] = {
        "id": issued.id,
        "token_url": version.credential_url,
        "verification_url": f"{stage.base_url}/v1/certificates/{issued.id}/verification",
    }
    stage.say("Prüfwerk", "verifies and issues: recycling", issued.status, issued.id)


def _issue(verifier: Any, certificate_id: str) -> Any:
    verifier.certificates.take_up(certificate_id)
    read = etag(verifier.certificates.get.raw(certificate_id))
    return verifier.certificates.issue(certificate_id, if_match=read)


def _verify(stage: Stage) -> None:
    anybody = stage.operator
    told = anybody.certificates.verification(stage.facts["certificate"]["id"])
    marks = " ".join(f"{check.name} {check.result}" for check in told.checks)
    stage.say("anybody", "verifies it without a key", "verified" if told.verified else "NOT VERIFIED")
    stage.console.print(f"               {marks}", highlight=False)
    for step in told.chain:
        stage.console.print(
            f"               {step.on} {step.kind:<7} {float(step.mass.value) / 1000:.3f} t", highlight=False
        )


def _certify_the_modules(stage: Stage) -> None:
    stage.go_to(44, "09:00")
    holder = stage["Batteriehof"].client
    batches = _batches(stage, "Batteriehof", stage.facts["second_order"])
    holder.custody_events.create(
        type="make",
        operation="R4",
        inputs=[{"batch_id": batch.id} for batch in batches],
        outputs=[{"material": "aluminium", "mass": tonnes("0.350"), "disposition": "product"}],
        loss=lost("0.010"),
        evidence=[paper("module-tickets.pdf")],
    )
    stage.settle()
    (draft,) = [one for one in holder.certificates.list() if one.status == "draft"]
    holder.certificates.submit(
        draft.id, verifier_id=stage["Prüfwerk"].org_id, evidence=[paper("module-tickets.pdf")], distance_km="160"
    )
    issued = _issue(stage["Prüfwerk"].client, draft.id)
    stage.settle()
    stage.say("Prüfwerk", "issues the second certificate, 0.360 t", issued.status, issued.id)
    for name in ("order", "second_order"):
        order = stage["Nordwerk"].client.orders.get(stage.facts[name])
        stage.say("Backhaul", "has brought the order to its end", order.status, order.id)
