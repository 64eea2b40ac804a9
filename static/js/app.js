// What pages gain when scripts run; everything works without this file. It sends nothing anywhere and keeps nothing,
// and touches a secret only to copy a chosen file into the field beside it.
"use strict";

document.documentElement.classList.add("has-script");

// A chosen file fills the field beside it, so that the person sees what they send. The file itself is not sent then.
document.addEventListener("change", async (event) => {
  const input = event.target.closest?.("input[type=file][data-fills]");
  const file = input?.files[0];
  const field = input && document.getElementById(input.dataset.fills);
  if (!file || !field) return;
  if (file.size > Number(input.dataset.most) * 4) {
    announce(`${file.name} is too large for this field.`, "bad");
    input.value = "";
    return;
  }
  field.value = textOf(new Uint8Array(await file.arrayBuffer()));
  input.value = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  announce(`${file.name} was read into the form.`, "info");
});

// UTF-8, or UTF-16 as Windows writes it. A binary file becomes base64: the server says at the field what it is.
function textOf(bytes) {
  const wide = { "255 254": "utf-16le", "254 255": "utf-16be" }[bytes.slice(0, 2).join(" ")];
  try {
    return new TextDecoder(wide ?? "utf-8", { fatal: true }).decode(bytes);
  } catch {
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  }
}

// Copy buttons: data-copy names the element whose text is copied. Without a name it is the button's own text, which may be cut short
// for the eye.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], .copy");
  const source = button && (button.dataset.copy ? document.getElementById(button.dataset.copy) : button);
  if (!source) return;
  const label = button.querySelector("span") ?? document.createElement("span");
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(source.textContent);
    label.textContent = "Copied";
  } catch {
    // Clipboards are closed to plain http away from localhost: leave the text selected for Ctrl+C.
    getSelection().selectAllChildren(source);
    label.textContent = "Selected";
  }
  announce(label.textContent === "Copied" ? "Copied." : "Selected: press Ctrl+C to copy.");
  setTimeout(() => { label.textContent = before; }, 2000);
});

// What a table cuts short is whole in its title.
document.addEventListener("mouseover", (event) => {
  const cut = event.target.closest?.(".row-link, .copy, .is-owner, .tag:not([title]), .is-cut > :not([title])");
  if (cut) cut.title = cut.matches(".copy") ? `Copy ${cut.textContent}` : cut.textContent;
});

// A passing message for screen readers; with a tone also for the eye, in the page's notices.
function announce(text, tone) {
  const notices = document.getElementById("notices");
  if (!notices) return;
  const message = document.createElement(tone ? "div" : "span");
  message.className = tone ? `notice is-${tone}` : "visually-hidden";
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  message.append(paragraph);
  notices.querySelectorAll("[data-passing]").forEach((old) => old.remove());
  message.dataset.passing = "";
  notices.append(message);
}

// Answers that are not swapped into the page (the list is in htmx-config) are said instead.
document.addEventListener("htmx:response:error", (event) => {
  const status = event.detail.ctx.response.status;
  if (status === 403) announce("You are not allowed to do that.", "bad");
  else if (status === 404) announce("That is not there any more. Reload the page.", "bad");
  else if (status === 429) announce("That was too often. Try again in a minute.", "bad");
  else if (status >= 500) announce("The console could not answer. Try again in a moment.", "bad");
});
document.addEventListener("htmx:error", () => announce("The console cannot be reached. Try again in a moment.", "bad"));

// Leaving a changed form asks first. Forms opt in with data-guard.
let dirty = null;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-guard]")) dirty = form;
});
document.addEventListener("submit", () => { dirty = null; });
window.addEventListener("beforeunload", (event) => {
  if (dirty?.isConnected) event.preventDefault();
});

// A second click while the answer is on its way would send a form twice: for ten seconds it does nothing.
let sent = new WeakMap();
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  const now = performance.now();
  if (now - sent.get(event.target) < 10_000) event.preventDefault();
  else sent.set(event.target, now);
});
// The page comes back as it was left, and its forms are free again.
window.addEventListener("pageshow", () => { sent = new WeakMap(); });

// Keys, as the help dialog lists them. WCAG 2.1.4: off while typing, and off for whoever switches them off on the
// Account page.
const dialog = document.getElementById("shortcuts");
document.querySelector("[data-open=shortcuts]")?.addEventListener("click", () => dialog.showModal());
let prefix = 0;
document.addEventListener("keydown", (event) => {
  if (document.body.dataset.shortcuts !== "on" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable], dialog")) return;
  const now = performance.now();
  const target = prefix && now - prefix < 1500
    ? document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`)
    : { "/": document.querySelector("[data-search]"), n: document.querySelector("[data-new]"), "?": dialog }[event.key];
  prefix = !prefix && event.key === "g" ? now : 0;
  if (!target) return;
  event.preventDefault();
  if (target.matches("dialog")) target.showModal();
  else if (target.matches("a")) target.click();
  else target.select();
});

// A swap that removed the focused element must not throw the keyboard back to the top of the page.
let focused = null;
document.addEventListener("htmx:before:swap", () => {
  const active = document.activeElement;
  focused = active && active !== document.body
    ? { id: active.id, href: active.getAttribute("href"), region: active.closest("[id]:not(a, button, input, select, textarea)")?.id }
    : null;
});
let opened = false;
document.addEventListener("htmx:before:swap", () => { opened = document.querySelector("[data-stays-open]")?.open; });
document.addEventListener("htmx:after:swap", () => {
  const folded = document.querySelector("[data-stays-open]");
  if (folded && opened) folded.open = true;
  // What was tested has passed every check.
  if (document.querySelector("#test-result .finding")) {
    for (const old of document.querySelectorAll(".error-summary, .field__error")) old.remove();
  }
  // Kept inputs may still point at an error that the new fields no longer show.
  for (const input of document.querySelectorAll("[aria-invalid]")) {
    if (!document.getElementById(`${input.name}-error`)) input.removeAttribute("aria-invalid");
  }
  // And ones that were fine before must point at theirs.
  for (const error of document.querySelectorAll(".field__error[id$='-error']")) {
    const input = document.getElementById(error.id.slice(0, -"-error".length));
    if (!input?.matches("[hx-preserve]") || input.matches("[aria-invalid]")) continue;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", [error.id, input.getAttribute("aria-describedby")].filter(Boolean).join(" "));
  }
  if (!focused || document.activeElement !== document.body) return;
  const region = focused.region && document.getElementById(focused.region);
  const again = (focused.id && document.getElementById(focused.id))
    || (focused.href && region?.querySelector(`a[href="${CSS.escape(focused.href)}"]`))
    || region?.querySelector("[aria-sort] a, input:not([type=hidden]), select, textarea, a, button");
  (again ?? document.getElementById("main"))?.focus({ preventScroll: true });
});

// The tab whose panel is shown, for who does not see it.
function markTab() {
  const tabs = [...document.querySelectorAll(".tabbed > .tabs a")];
  const shown = tabs.find((tab) => tab.hash === location.hash) ?? tabs[0];
  for (const tab of tabs) if (tab === shown) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
}
window.addEventListener("hashchange", markTab);
markTab();
