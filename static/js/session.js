// A session that ends takes nothing with it that somebody is typing: a dialog warns two minutes ahead, and once the
// session is over logs in again over the page, which stays as it is. Pages of one browser tell each other of visits.
(() => {
  const dialog = document.getElementById("session");
  if (!dialog || !window.BroadcastChannel) return;
  const WARNING = 120_000;
  const channel = new BroadcastChannel("session");
  const limits = () => ({ idle: Number(dialog.dataset.idle) * 1000, left: Number(dialog.dataset.left) * 1000 });
  let last = Date.now() + limits().left;
  let ends = 0;
  let timer = 0;

  function plan(delay) {
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(delay, 1000));
  }
  function visited(tell) {
    ends = Math.min(Date.now() + limits().idle, last);
    if (dialog.open) dialog.close();
    plan(ends - Date.now() - WARNING);
    if (tell) channel.postMessage({ last });
  }
  function look() {
    const left = ends - Date.now();
    if (left <= 0) show("ended");
    else if (left <= WARNING) { show("warning"); plan(left); }
    else plan(left - WARNING);
  }
  // A session that ends by its age is not made longer by staying.
  function show(state) {
    if (state === "warning" && ends === last) state = "last";
    dialog.dataset.state = state;
    if (!dialog.open) dialog.showModal();
    if (state === "ended") dialog.querySelector("[name=password]").focus();
  }

  channel.onmessage = (event) => { last = Math.max(last, event.data.last); visited(false); };
  document.addEventListener("htmx:after:request", (event) => {
    const response = event.detail.ctx.response;
    if (response && response.status < 400) visited(true);
  });
  // Nothing was swapped, so the form is as it was.
  document.addEventListener("htmx:response:error", (event) => {
    const { status, headers } = event.detail.ctx.response;
    if (status === 401 && !headers?.get?.("hx-redirect")) show("ended");
  });
  // A computer that slept runs no timers.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  // What is posted without a session would be lost.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || dialog.contains(event.target) || Date.now() < ends) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    show("ended");
  }, true);

  dialog.querySelector("[data-stay]").addEventListener("click", async () => {
    const answer = await fetch("/account", { method: "HEAD", redirect: "manual" }).catch(() => null);
    if (answer?.ok) visited(true);
    else if (answer) show("ended");
    else announce("The console cannot be reached. Try again in a moment.", "bad");
  });
  // The answer of a login is a page: where it leads tells how it went.
  dialog.querySelector("form[action]").addEventListener("submit", async (event) => {
    const form = event.target;
    event.preventDefault();
    event.stopImmediatePropagation();
    const problem = dialog.querySelector("[data-problem]");
    const code = dialog.dataset.state === "code";
    const fields = new URLSearchParams(code
      ? { code: form.code.value, next: "/account" }
      : { username: form.username.value, password: form.password.value, next: "/account" });
    problem.textContent = "";
    const answer = await fetch(code ? "/login/code" : "/login", { method: "POST", body: fields }).catch(() => null);
    if (!answer) { problem.textContent = "The console cannot be reached. Try again in a moment."; return; }
    form.password.value = form.code.value = "";
    const path = new URL(answer.url).pathname;
    if (answer.ok && path === "/login/code") {
      dialog.dataset.state = "code";
      form.code.focus();
    } else if (answer.ok && path === "/login") {
      dialog.dataset.state = "ended";
    } else if (answer.ok) {
      const again = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("session");
      last = Date.now() + Number(again?.dataset.left ?? 0) * 1000;
      visited(true);
      announce("You're logged in again. Nothing was saved yet.", "good");
    } else {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      problem.textContent = page.querySelector("[role=alert] p, .notice.is-bad p")?.textContent ?? "Try again.";
    }
  });
  dialog.addEventListener("cancel", (event) => { if (dialog.dataset.state !== "warning") event.preventDefault(); });
  visited(true);
})();
