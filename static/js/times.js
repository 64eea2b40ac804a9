// Exact moments come in UTC. Here they can be read in the browser's own time zone; the choice is kept in this browser.
"use strict";

{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const format = new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const isLocal = () => localStorage.getItem("times") === "local";

  const show = () => {
    for (const time of document.querySelectorAll("time[data-moment]")) {
      time.dataset.moment ||= time.textContent;
      time.textContent = isLocal() ? format.format(new Date(time.dateTime)).replace(",", "") : time.dataset.moment;
      time.title = time.dateTime;
    }
    for (const name of document.querySelectorAll("[data-zone]")) name.textContent = isLocal() ? zone : "UTC";
    for (const button of document.querySelectorAll("[data-times]")) {
      button.textContent = isLocal() ? "Show UTC" : "Show local time";
      button.hidden = zone === "UTC";
    }
  };

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-times]")) return;
    localStorage.setItem("times", isLocal() ? "utc" : "local");
    show();
  });
  document.addEventListener("htmx:after:swap", show);
  document.addEventListener("DOMContentLoaded", show);
  show();
}
