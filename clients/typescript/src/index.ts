/** Keeps a browser signed in at a tollgate: one refresh at a time in all tabs, and no answer lost. */

export { Client } from "./client.js";
export type { Options, Request } from "./client.js";
export { Refused, SignedOut, Unavailable } from "./errors.js";
export type { Problem } from "./errors.js";
export type { Locks } from "./locks.js";
export type { Keep } from "./store.js";
