/** A client generated for the small server of `sample.py`, which answers at SAMPLE_URL, and streams that are cut. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Backhaul, NotFound, PreconditionFailed } from "sample-client";

const client = clientAt(process.env.SAMPLE_URL);

function clientAt(baseUrl) {
  return new Backhaul({ apiKey: "bh_test_k_s", baseUrl, sleep: async () => undefined });
}

async function collected(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

test("an answer is plain JSON and what is unknown survives", async () => {
  const price = { amount: "129.50", currency: "EUR" };
  const listing = await client.listings.create({ title: "Steel", items: [{ description: "coil", quantity: 2 }], reserve_price: price });
  assert.deepEqual([listing.id, listing.items[0].quantity, listing.reserve_price], ["lst_new", 2, price]);
  assert.deepEqual([listing.status, listing.weather], ["embargoed", "rain"]);
});

test("the raw answer has the etag the next call needs", async () => {
  const answer = await client.listings.retrieve("lst_3").raw();
  assert.deepEqual([answer.status, answer.etag, answer.parsed.id], [200, '"7"', "lst_3"]);
  assert.equal((await client.listings.publish("lst_3", {}, { ifMatch: answer.etag })).id, "lst_3");
  assert.equal((await client.listings.publish("lst_3", { dry_run: true }, { ifMatch: 7 })).id, "lst_3");
  const refusal = client.listings.publish("lst_3", {}, { ifMatch: 6 }).raw();
  await assert.rejects(refusal, (error) => error instanceof PreconditionFailed && error.requestId === "req_1");
});

test("a list is awaited or followed to its end", async () => {
  const ids = ["lst_0", "lst_1", "lst_2", "lst_3", "lst_4"];
  const page = await client.listings.list({ limit: 2 });
  assert.deepEqual([page.data.map((item) => item.id), page.has_more], [["lst_0", "lst_1"], true]);
  assert.deepEqual((await collected(page)).map((item) => item.id), ids);
  assert.deepEqual((await collected(client.listings.list({ limit: 2 }))).map((item) => item.id), ids);
  const next = await page.nextPage();
  assert.deepEqual(next.data.map((item) => item.id), ["lst_2", "lst_3"]);
  assert.equal(await (await next.nextPage()).nextPage(), null);
});

test("what is not JSON is text and what is empty is undefined", async () => {
  assert.ok((await client.listings.export()).startsWith("id,title\n"));
  assert.equal(await client.certificates.retrieve("crt_1"), "ey.ey.sig");
  assert.equal(await client.listings.delete("lst_0"), undefined);
  await assert.rejects(client.listings.delete("lst_1").raw(), NotFound);
});

test("a file is sent from bytes, blob, file or pair", async () => {
  const bytes = new TextEncoder().encode("a,b\n");
  const sent = async (file) => {
    const { filename, size, kind } = await client.imports.create({ file, kind: "x" });
    return [filename, size, kind];
  };
  assert.deepEqual(await sent(bytes), ["file", 4, "x"]);
  assert.deepEqual(await sent(bytes.buffer), ["file", 4, "x"]);
  assert.deepEqual(await sent(new Blob([bytes])), ["file", 4, "x"]);
  assert.deepEqual(await sent(new File([bytes], "returns.csv")), ["returns.csv", 4, "x"]);
  assert.deepEqual(await sent({ filename: "named.csv", content: new Blob(["abc"]) }), ["named.csv", 3, "x"]);
  assert.deepEqual(await sent({ filename: 'od"d\r\n.csv', content: bytes }), ["od%22d%0D%0A.csv", 4, "x"]);
});

test("an upload under the same key is the same body", async () => {
  const bodies = [];
  const keeping = new Backhaul({
    apiKey: "bh_test_k_s",
    baseUrl: process.env.SAMPLE_URL,
    fetch: (url, init) => {
      bodies.push(`${init.headers.get("content-type")} ${new TextDecoder().decode(init.body)}`);
      return fetch(url, init);
    },
  });
  for (const key of ["mine", "mine", "other"]) {
    const file = { filename: "named.csv", content: new Blob(["abc"]) };
    await keeping.imports.create({ file, kind: "x" }, { idempotencyKey: key });
  }
  assert.equal(bodies[0], bodies[1]);
  assert.notEqual(bodies[0], bodies[2]);
});

test("a stream is read as events with ids", async () => {
  const events = client.auctions.follow("lst_0");
  const seen = (await collected(events)).map((event) => [event.id, event.data.price.amount]);
  assert.deepEqual(seen, [["100.00", "100.00"], ["110.00", "110.00"]]);
  assert.equal(events.lastEventId, "110.00");
});

test("a cut stream goes on after the last id", async () => {
  const asked = [];
  const connections = [
    (response) => response.write('id: 1\ndata: "li\u2028ne"\n\ndata: half', () => setTimeout(() => response.destroy(), 20)),
    (response) => response.destroy(),
    (response) => response.end(": quiet\r\nevent: tick\r\nid: 2\r\ndata: {\r\ndata: }\r\n\r\n"),
  ];
  const seen = await streamed(connections, asked, (events) => collected(events));
  assert.deepEqual(seen.map((event) => [event.id, event.event, event.data]), [["1", "message", "li\u2028ne"], ["2", "tick", {}]]);
  assert.deepEqual(asked, [undefined, "1", "1"]);
});

test("a stream that says nothing for too long is a cut", async () => {
  const asked = [];
  const connections = [
    (response) => response.write("id: 1\ndata: 1\n\n"),
    (response) => response.end("id: 2\ndata: 2\n\n"),
  ];
  const seen = await streamed(connections, asked, (events) => collected(events), { timeout: 100 });
  assert.deepEqual([seen.map((event) => event.data), asked], [[1, 2], [undefined, "1"]]);
});

test("a stream may last longer than the time of an attempt", async () => {
  const asked = [];
  const steadily = async (response) => {
    for (const id of [1, 2, 3, 4]) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      response.write(`id: ${id}\ndata: ${id}\n\n`);
    }
    response.end();
  };
  const seen = await streamed([steadily], asked, (events) => collected(events), { timeout: 250 });
  assert.deepEqual([seen.map((event) => event.data), asked], [[1, 2, 3, 4], [undefined]]);
});

test("a stream resumes where it is told to and ends where it is left", async () => {
  const asked = [];
  const connections = [(response) => response.write("id: 8\ndata: 8\n\nid: 9\ndata: 9\n\n")];
  const first = async (events) => {
    for await (const event of events) return event.id;
  };
  assert.equal(await streamed(connections, asked, first, { lastEventId: "7" }), "8");
  assert.deepEqual(asked, ["7"]);
});

test("a stream that is refused throws the refusal", async () => {
  const refused = (response) => response.writeHead(404, { "content-type": "application/problem+json" }).end('{"code":"gone"}');
  await assert.rejects(streamed([refused], [], (events) => collected(events)), { name: "NotFound", code: "gone" });
});

async function streamed(connections, asked, use, options = {}) {
  const server = createServer((request, response) => {
    asked.push(request.headers["last-event-id"]);
    if (!response.headersSent) response.setHeader("content-type", "text/event-stream");
    connections.shift()(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(clientAt(`http://127.0.0.1:${server.address().port}`).auctions.follow("lst_0", {}, options));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
