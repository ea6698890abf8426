/** The versions this client names to the server. */

export const VERSION = "0.1.0";

/** Sent as Backhaul-Version with every request: answers keep this version's shape until the client is upgraded. */
export const API_VERSION = "2026-11-01";
