/** Types of the API, from the OpenAPI document of the quickstart: `npm run types` writes `document.ts` anew. */

export type { components, operations, paths } from "./document.js";
import type { components } from "./document.js";

/** A session of the user, with its device. */
export type Session = components["schemas"]["AuthSession"];
