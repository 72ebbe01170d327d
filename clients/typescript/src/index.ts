/** Keeps a browser signed in at a tollgate: one refresh at a time in all tabs, and no answer lost. */

export { Client } from "./client.js";
export type { Added, Options, Paths, Request } from "./client.js";
export type { Session, components, operations, paths } from "./api.js";
export { Refused, SignedOut, StepNeeded, Unavailable } from "./errors.js";
export type { Problem } from "./errors.js";
export type { Locks } from "./locks.js";
export type { Keep } from "./store.js";
