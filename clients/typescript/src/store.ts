/** What a client keeps between two page loads, where all tabs find it. */

/** The part of `localStorage` that is needed. */
export interface Keep {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The tokens of a session. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string;
  /** When the access token runs out, in milliseconds since 1970, by this machine's clock. */
  readonly until: number;
  /** For how many milliseconds it was good. */
  readonly lifetime: number;
}

/** Tokens under a key. Never `sessionStorage`: a duplicated tab would be taken for a thief. */
export class Store {
  readonly #keep: Keep;
  readonly #key: string;

  constructor(keep: Keep, key: string) {
    this.#keep = keep;
    this.#key = key;
  }

  read(): Tokens | undefined {
    const text = this.#keep.getItem(this.#key);
    if (text === null) return undefined;
    try {
      const value: unknown = JSON.parse(text);
      return isTokens(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  write(tokens: Tokens): void {
    this.#keep.setItem(this.#key, JSON.stringify(tokens));
  }

  clear(): void {
    this.#keep.removeItem(this.#key);
  }
}

/** The browser's `localStorage`; where there is none, this page's memory. */
export function keepOfThisPlace(): Keep {
  try {
    const own: Keep | undefined = globalThis.localStorage;
    if (own !== undefined) return own;
  } catch {
    // A browser may forbid it.
  }
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

function isTokens(value: unknown): value is Tokens {
  if (typeof value !== "object" || value === null) return false;
  const { access, refresh, until, lifetime } = value as Record<string, unknown>;
  return (
    typeof access === "string" && typeof refresh === "string" && typeof until === "number" && typeof lifetime === "number"
  );
}
