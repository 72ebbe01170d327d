// A headless Chromium, spoken to over its pipe: no driver, no dependency.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Starts a browser. `open(url)` opens a tab, whose `run(code)` evaluates an expression to its end. */
export async function chromium(program) {
  const profile = mkdtempSync(join(tmpdir(), "tollgate-chromium-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe"];
  const browser = spawn(program, [...flags, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    // A group of its own: what is started may be a script around the browser.
    detached: true,
  });
  const [, , , writing, reading] = browser.stdio;
  const waiting = new Map();
  const ended = new Promise((done) => browser.once("exit", done).once("error", done));
  let last = 0;
  let rest = "";
  reading.setEncoding("utf8");
  reading.on("data", (piece) => {
    const parts = (rest + piece).split("\0");
    rest = parts.pop();
    for (const part of parts) {
      const { id, result, error } = JSON.parse(part);
      const ask = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) ask?.done(result);
      else ask?.failed(new Error(error.message));
    }
  });
  browser.once("exit", (code) => waiting.forEach(({ failed }) => failed(new Error(`the browser ended: ${code}`))));
  browser.once("error", (error) => waiting.forEach(({ failed }) => failed(error)));
  const call = (method, params = {}, sessionId = undefined) =>
    new Promise((done, failed) => {
      last += 1;
      waiting.set(last, { done, failed });
      writing.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });

  return {
    async open(url) {
      const { targetId } = await call("Target.createTarget", { url });
      const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
      const run = async (expression) => {
        const { result, exceptionDetails } = await call(
          "Runtime.evaluate",
          { expression, awaitPromise: true, returnByValue: true },
          sessionId,
        );
        if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      };
      // The page says when its script has run.
      for (let looked = 0; (await run("globalThis.client !== undefined").catch(() => false)) !== true; looked += 1) {
        if (looked > 500 || browser.exitCode !== null) throw new Error(`${url} does not open`);
        await new Promise((done) => setTimeout(done, 20));
      }
      return { run };
    },
    async close() {
      try {
        process.kill(-browser.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
      await ended;
      [writing, reading].forEach((pipe) => pipe.destroy());
      rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
