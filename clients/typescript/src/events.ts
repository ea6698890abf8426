/** Partner events: narrow them by `type`. A type newer than this release is an UnknownEvent. */

import { EVENT_TYPES, type Envelope, type KnownEvent } from "./generated/events.js";
import { isObject } from "./errors.js";

export type { Envelope, KnownEvent };

/** No string a program can write: it keeps `event.type === "order.settled"` from leaving UnknownEvent in the union. */
declare enum LaterType {
  later = "a type newer than this release",
}

/** An event of a type newer than this release. Its type is a string like any other: `String(event.type)`. */
export interface UnknownEvent extends Envelope {
  readonly type: LaterType;
  readonly data: Readonly<Record<string, unknown>>;
}

export type PartnerEvent = KnownEvent | UnknownEvent;

/** An event envelope, of a delivery or of the event feed, typed; nothing of it is changed. */
export function readEvent(envelope: object): PartnerEvent {
  if (!isObject(envelope)) throw new TypeError("an event envelope is an object");
  return envelope as unknown as PartnerEvent;
}

/** Whether this release knows the event's type. */
export function isKnown(event: PartnerEvent): event is KnownEvent {
  return EVENT_TYPES.has(event.type as string);
}
