/** What a partner writes. A line that ends in "wrong" must be refused by the compiler, every other one accepted. */

import { Backhaul, Conflict, UnprocessableEntity, field, isKnown, readEvent, verifyWebhook } from "@backhaul/client";
import type { events, models, resources, Answer, Page, PartnerEvent, StreamEvent, Upload } from "@backhaul/client";
import { Backhaul as Sample } from "sample-client";

export async function sell(client: Backhaul): Promise<string> {
  const terms: resources.ListingsCreateParams = {
    title: "Motors",
    site_id: "site_1",
    mode: "sealed",
    price_unit: "piece",
    currency: "EUR",
    opens_at: new Date(),
    closes_at: null,
    visibility: undefined,
  };
  const listing = await client.listings.create(terms);
  const answer: Answer<models.ListingAnswer> = await client.listings.get(listing.id, {}, { timeout: 3_000 }).raw();
  await client.listings.publish(listing.id, { dry_run: true }, { ifMatch: answer.etag ?? listing.version });
  await client.listings.publish(listing.id, {}, { idempotencyKey: "mine", signal: AbortSignal.timeout(5_000) });
  await client.listings.publish(listing.id, { dryrun: true }); // wrong
  await client.listings.publish(listing.id, {}, { if_match: "3" }); // wrong
  await client.listings.create({ ...terms, currency: 978 }); // wrong
  await client.listings.create({ title: "Motors" }); // wrong
  await client.listings.list({}, { idempotencyKey: "mine" }); // wrong
  await client.listings.publish(); // wrong
  await client.listings.publsh(listing.id); // wrong
  listing.titel; // wrong
  const mode: "sealed" | "timed" | "negotiated" = terms.mode; // wrong
  const later: resources.ListingsCreateParams["mode"] = "a mode of next year";
  return `${listing.status} ${mode} ${later} ${String(field(listing, "weather"))}`;
}

export async function read(client: Backhaul): Promise<number> {
  let pieces = 0;
  for await (const listing of client.listings.list({ limit: 50 })) pieces += listing.item_count;
  const page: Page<models.ListingSummary> = await client.listings.list();
  const following = await page.nextPage();
  for (const listing of following?.data ?? []) listing.title.toUpperCase();
  page.data[0].title; // wrong
  const [one, all] = await Promise.all([client.bids.get("bid_1"), client.bids.list()]);
  const nothing: void = await client.webhookEndpoints.delete("whk_1");
  return pieces + one.id.length + all.data.length + Number(nothing);
}

export async function follow(sample: Sample, file: Upload): Promise<string> {
  const imported = await sample.imports.create({ file, kind: "x" });
  for await (const tick of sample.auctions.follow("lst_1", {}, { lastEventId: "7" })) return tick.data.price.amount;
  const tick: StreamEvent<number> = { id: null, event: "message", data: imported.size };
  return String(tick.data);
}

export function refused(error: unknown): string {
  if (error instanceof UnprocessableEntity) return error.errors.map((one) => one.pointer).join();
  return error instanceof Conflict ? `${error.code} ${error.requestId}` : "";
}

export async function hear(request: Request, secret: string): Promise<string> {
  return told(await verifyWebhook(await request.arrayBuffer(), request.headers, [secret], { tolerance: 60_000 }));
}

export function told(event: PartnerEvent): string {
  if (event.type === "order.settled") {
    const settled: events.OrderSettled = event;
    return settled.data.order_id;
  }
  if (event.type === "order.setled") return ""; // wrong
  switch (event.type) {
    case "bid.placed":
      return event.data.bid_id;
    case "listing.opened":
      return event.data.order_id; // wrong
  }
  if (isKnown(event)) return event.id;
  return `${String(event.type)} ${String(event.data["anything"])} ${readEvent(event).seq}`;
}
