/** Calls the method of every operation in CASES and writes what came of each to OUTCOMES. */

import { readFile, writeFile } from "node:fs/promises";
import { Backhaul, Page } from "@backhaul/client";

const { baseUrl, cases } = JSON.parse(await readFile(process.env.CASES, "utf8"));
const outcomes = [];
for (const one of cases) outcomes.push(await outcome(one).catch(thrown));
await writeFile(process.env.OUTCOMES, JSON.stringify(outcomes));

async function outcome({ id, token, path, params, options, file }) {
  const [resource, method] = id.split(".").map(camel);
  const client = new Backhaul({ apiKey: token, baseUrl, maxRetries: 0 });
  const upload = file && { file: { filename: file.filename, content: Buffer.from(file.content, "base64") } };
  const answer = await client[resource][method](...path, { ...params, ...upload }, options).raw();
  return { status: answer.status, parsed: plain(answer.parsed) };
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
