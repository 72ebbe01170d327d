/** One at a time: in all tabs by the Web Locks API, or in this page alone where there is none. */

/** The part of `navigator.locks` that is needed. */
export interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** Those of the browser; where it has none, a queue in this page. The server forgives tabs that race, within its window. */
export function locksOfThisPlace(): Locks {
  const own: unknown = globalThis.navigator?.locks;
  return own === undefined ? queue() : (own as Locks);
}

function queue(): Locks {
  const last = new Map<string, Promise<unknown>>();
  return {
    request(name, work) {
      const done = (last.get(name) ?? Promise.resolve()).then(work, work);
      last.set(name, done.catch(() => undefined));
      return done;
    },
  };
}
