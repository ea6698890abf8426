"""The first page of the reference."""

from services.kernel.http.openapi.operations import Document

_DESCRIPTION = """\
One API for everything that travels backwards through industry: what is offered, who bids, who moves it, what arrived,
who is paid, and what a certificate may say about it.

## Getting in

Register an organization (`POST /v1/organizations`, no credential needed) and keep the key it answers. Send it as
`Authorization: Bearer bh_test_…`. Sandbox keys say `bh_test_`, live keys `bh_live_`; nothing crosses over. Each
operation names the permission it needs (`x-permission`); a key carries a selection of its member's. Under a
delegation, `Backhaul-Account: org_…` says for whom you act.

## Conventions

- **Ids** carry their kind: `lst_…`, `bid_…`. Money is `{"amount": "129.50", "currency": "EUR"}`, mass `{"value":
  "12.4", "unit": "t"}`, both decimal strings. Instants are RFC 3339 in UTC.
- **Lists** take `limit` and `cursor` and answer `{"data": […], "has_more": true, "next_cursor": "…"}`.
- **Retries**: `Idempotency-Key` on any POST. One effect for any number of sends; a replay says `Idempotency-Replayed:
  true`.
- **Versions of a thing**: send its `ETag` back as `If-Match`; whoever was overtaken is answered 412. Money and awards
  demand it (428).
- **Transitions** are `POST /v1/{things}/{id}/{transition}`. What you could do now stands in `allowed_transitions`,
  the rest with every reason in `blocked_transitions`; `?dry_run=true` runs every check and changes nothing.
- **New values**: enums in answers are open, and fields may be added. Keep what you do not know.

## Problems

Every error is `application/problem+json` (RFC 9457). `code` is stable; each operation lists the codes it can answer
(`x-problem-codes`), with an example of each. `errors` points at every place that is wrong, or gives every reason
against it. [All codes](/docs/problems) have a page, which is what `type` names.

## Events

What an operation causes stands under it (`x-events`). Events are posted to your webhook endpoints, signed by Standard
Webhooks, and can be read again from the feed, `GET /v1/events`, in the order they were committed.
"""

INFO: Document = {
    "description": _DESCRIPTION,
    "contact": {"name": "Backhaul", "url": "https://docs.backhaul.dev"},
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
