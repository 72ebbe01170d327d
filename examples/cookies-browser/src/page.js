// All that a page needs: it never sees a token, renews before the access cookie is gone, and once for all tabs.

const part = (id) => document.getElementById(id);
const tabs = new BroadcastChannel("session");

async function send(path, method = "GET", type, body) {
  try {
    return await fetch(path, { method, headers: type ? { "content-type": type } : {}, body });
  } catch {
    // The server is down, or this machine is offline: said, and tried again by the next click.
    const title = navigator.onLine ? "The server cannot be reached. Try again." : "This device is offline. Connect it, and try again.";
    return Response.json({ title }, { status: 503 });
  }
}

const json = (path, value) => send(path, "POST", "application/json", JSON.stringify(value));

// One renewal at a time in all tabs. Who waited for another tab finds that it is done.
let renewed = 0;
let timer;
const renew = () =>
  navigator.locks.request("renew", async () => {
    const me = await send("/me");
    return me.ok ? me : renewNow();
  });

async function renewNow() {
  const answer = await send("/auth/refresh-access", "POST");
  if (!answer.ok) return answer;
  renewed += 1;
  part("renewed").value = String(renewed);
  later((await answer.json()).expires_in);
  return answer;
}

// A browser drops the access cookie when its time is out: it is renewed when half of that is over, by one tab.
function later(seconds) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    navigator.locks.request("renew", { ifAvailable: true }, (lock) => lock && renewNow());
  }, seconds * 500);
}

// What says that the access cookie does not count, or is gone.
const OVER = new Set(["missing_token", "token_expired", "invalid_token"]);

async function call(...request) {
  const answer = await send(...request);
  if (answer.status !== 401) return answer;
  const { code } = await answer.clone().json();
  if (!OVER.has(code)) return answer;
  const renewal = await renew();
  if (renewal.ok) return send(...request);
  // A server that could not decide has not said that the session is over.
  return renewal.status === 503 || renewal.status === 429 ? renewal : answer;
}

// What a person reads of a refusal; the codes never change.
const WORDS = {
  invalid_credentials: "That is not right. Try again.",
  invalid_request: "Something is missing. Fill in the form.",
  too_many_requests: "Too many attempts. Wait a while.",
  unavailable: "The server cannot decide at the moment. Try again.",
};

async function refused(answer) {
  const problem = await answer.json().catch(() => ({}));
  if (OVER.has(problem.code) && !part("inside").hidden) return signedOut();
  if (problem.step) {
    stepToken = problem.step_token;
    only("step");
    // A wrong code has a token for the next attempt.
    say(problem.code === "invalid_credentials" ? WORDS.invalid_credentials : "");
    part("step").code.focus();
    return;
  }
  if (stepToken !== undefined && problem.code === "invalid_credentials") {
    stepToken = undefined;
    only("signin");
    return say("That was the last attempt. Sign in again.");
  }
  say(WORDS[problem.code] ?? problem.title ?? "That did not work.");
}

let stepToken;

function say(text) {
  part("error").textContent = text;
  part("error").hidden = text === "";
}

const PARTS = ["signin", "step", "inside", "again"];

function only(shown) {
  for (const id of PARTS) part(id).hidden = id !== shown;
}

// Where somebody was signed in until this moment, it is said.
function signedOut() {
  clearTimeout(timer);
  part("state").textContent = "signed out";
  if (!part("inside").hidden) say("Your session has ended. Sign in again.");
  if (part("step").hidden) only("signin");
}

// The address is that of the last use, as the time is.
function device({ session_id, current, device_name, agent, ip, last_seen_ip, last_seen_at }) {
  const line = document.createElement("li");
  const about = document.createElement("div");
  const words = [agent.name, agent.os].filter(Boolean).join(" on ");
  about.append(device_name ?? (words || "a device"), " ");
  if (current) {
    const here = document.createElement("span");
    here.className = "here";
    here.textContent = "this device";
    about.append(here);
  }
  const small = document.createElement("small");
  small.textContent = [device_name && words, last_seen_ip ?? ip, new Date(last_seen_at * 1000).toLocaleString()].filter(Boolean).join(" · ");
  about.append(small);
  const end = document.createElement("button");
  end.className = "quiet";
  end.textContent = "End";
  end.dataset.session = session_id;
  end.setAttribute("aria-label", `End the session of ${device_name ?? words}`);
  end.addEventListener("click", async () => {
    const answer = await call(`/auth/sessions/${session_id}`, "DELETE");
    if (!answer.ok && answer.status !== 404) return refused(answer);
    if (current) {
      tabs.postMessage("out");
      only("signin");
    }
    await show();
  });
  line.append(about, end);
  return line;
}

async function show() {
  const me = await call("/me");
  if (me.status === 401) return signedOut();
  if (!me.ok) {
    // What is shown stays, for the next click; where nothing is, there is a button for it.
    if (PARTS.every((id) => part(id).hidden)) {
      part("state").textContent = "not connected";
      only("again");
    }
    return refused(me);
  }
  const [note, sessions] = [await call("/note"), await call("/auth/sessions")];
  const { email } = await me.json();
  const text = note.ok ? await note.text() : "";
  part("state").textContent = text ? `${email}: ${text}` : email;
  part("devices").replaceChildren(...(sessions.ok ? await sessions.json() : []).map(device));
  only("inside");
}

function on(id, event, work) {
  part(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    say("");
    await work(happened.target);
  });
}

async function signedIn(answer, form) {
  if (!answer.ok) return refused(answer);
  stepToken = undefined;
  form.reset();
  later((await answer.json()).expires_in);
  tabs.postMessage("in");
  await show();
}

on("signin", "submit", async (form) => {
  const { device_name, ...login } = Object.fromEntries(new FormData(form));
  await signedIn(await json("/auth/signin", { ...login, ...(device_name && { device_name }) }), form);
});
on("step", "submit", async (form) =>
  signedIn(await json("/auth/signin/step", { step_token: stepToken, code: form.code.value.trim() }), form));
on("cancel", "click", () => {
  stepToken = undefined;
  only("signin");
});
on("change", "submit", async (form) => {
  const answer = await call("/note", "POST", "text/plain", form.note.value);
  return answer.ok ? show() : refused(answer);
});
for (const [id, path] of [["signout", "/auth/signout"], ["everywhere", "/auth/signout-all"]]) {
  on(id, "click", async () => {
    const answer = await call(path, "POST");
    if (!answer.ok && answer.status !== 401) return refused(answer);
    tabs.postMessage("out");
    only("signin");
    await show();
  });
}
on("again", "click", show);
// Another tab signed in or out.
tabs.addEventListener("message", ({ data }) => {
  if (data === "out") only("signin");
  show();
});
// The network is back: what was said about it does not hold any more.
addEventListener("online", () => {
  say("");
  show();
});
// For the tests.
globalThis.renewNow = async () => (await renewNow()).ok;
show();
