/** Calls the method of every operation in CASES and writes what came of each to OUTCOMES. */

import { readFile, writeFile } from "node:fs/promises";
import { Backhaul, Page } from "@backhaul/client";

const { baseUrl, cases } = JSON.parse(await readFile(process.env.CASES, "utf8"));
const outcomes = [];
for (const one of cases) outcomes.push(await outcome(one).catch(thrown));
await writeFile(process.env.OUTCOMES, JSON.stringify(outcomes));

async function outcome({ id, token, path, params, options, file, is_stream }) {
  const [resource, method] = id.split(".").map(camel);
  const client = new Backhaul({ apiKey: token, baseUrl, maxRetries: 0 });
  const upload = file && { file: { filename: file.filename, content: Buffer.from(file.content, "base64") } };
  if (is_stream) return { status: 200, parsed: await all(client[resource][method](...path, params, options)) };
  const answer = await client[resource][method](...path, { ...params, ...upload }, options).raw();
  return { status: answer.status, parsed: plain(answer.parsed) };
}

async function all(stream) {
  const found = [];
  for await (const event of stream) found.push(event.data);
  return found;
}

function thrown(error) {
  const { name, message, status, code, requestId } = error;
  return { error: name, message, status, code, request_id: requestId };
}

function plain(parsed) {
  if (parsed instanceof Uint8Array) return { bytes: Buffer.from(parsed).toString("base64") };
  if (!(parsed instanceof Page)) return parsed;
  return { data: parsed.data, has_more: parsed.has_more, next_cursor: parsed.next_cursor };
}

function camel(name) {
  return name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
}
