// All that a page needs: it never sees a token, and refreshes when the access cookie is gone.

const send = (path, method = "GET", type, body) =>
  fetch(path, { method, headers: type ? { "content-type": type } : {}, body });

// One refresh at a time in all tabs. A browser drops the access cookie when its time is out, so that a request comes without.
const refresh = () =>
  navigator.locks.request("refresh", async () => {
    const now = await send("/me");
    return now.ok || (await send("/auth/refresh-access", "POST")).ok;
  });

async function call(...request) {
  const answer = await send(...request);
  if (answer.status !== 401) return answer;
  const { code } = await answer.clone().json();
  const isOver = code === "missing_token" || code === "token_expired" || code === "invalid_token";
  return isOver && (await refresh()) ? send(...request) : answer;
}

async function show() {
  const me = await call("/me");
  const note = me.ok ? await (await call("/note")).text() : "";
  document.getElementById("state").textContent = me.ok ? `${(await me.json()).email}: ${note}` : "signed out";
}

function on(id, event, work) {
  document.getElementById(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    await work(happened.target);
    await show();
  });
}

on("signin", "submit", (form) =>
  send("/auth/signin", "POST", "application/json", JSON.stringify(Object.fromEntries(new FormData(form)))));
on("change", "submit", (form) => call("/note", "POST", "text/plain", form.note.value));
on("signout", "click", () => send("/auth/signout", "POST"));
show();
