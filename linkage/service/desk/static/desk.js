// The desk works without this script: it adds keys, effects in place, and keeps a form from being sent twice.
"use strict";
(() => {
  const one = (what, within = document) => within.querySelector(what);
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const typing = (target) => target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select") !== null;

  const load = async (place, address) => {
    place.classList.add("working");
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (place.dataset.asked && place.dataset.asked !== address) return;
      place.innerHTML = await answer.text(); // a page of this service, every value escaped there
      place.dataset.done = "1";
    } catch {
      place.dataset.done = "failed";
    } finally {
      place.classList.remove("working");
    }
  };
  const loadAll = async () => {
    for (const place of all("[data-preview]")) await load(place, place.dataset.preview);
    document.body.dataset.previews = "done";
  };
  loadAll();

  all("input[name=record]").forEach((input) => input.addEventListener("change", () => {
    const place = one(".preview", input.closest(".choice"));
    const address = new URL(place.dataset.preview, location.href);
    address.searchParams.set("record", input.value);
    place.dataset.asked = address.href;
    load(place, address.href);
    const choice = one("input[name=ruling]", input.closest(".choice"));
    if (choice) choice.checked = true;
  }));

  const split = one("[data-split]");
  const splitPreview = one("#split-preview");
  if (split && splitPreview) {
    split.addEventListener("change", (event) => {
      if (!["record_id", "together"].includes(event.target.name)) return;
      const address = new URL(split.dataset.split, location.href);
      const together = one("input[name=together]:checked", split);
      if (together) address.searchParams.set("together", together.value);
      address.searchParams.set("fragment", "1");
      all("input[name=record_id]:checked", split).forEach((box) => address.searchParams.append("record", box.value));
      splitPreview.dataset.asked = address.href;
      load(splitPreview, address.href);
    });
  }

  all("[data-once]").forEach((form) => form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    all("button", form).forEach((button) => { button.setAttribute("aria-disabled", "true"); });
  }));
  window.addEventListener("pageshow", () => all("[data-once]").forEach((form) => { delete form.dataset.sent; }));

  const toggleRead = () => {
    const button = one("[data-toggle-read]");
    if (!button) return;
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    all(".read").forEach((part) => { part.hidden = !shown; });
  };
  one("[data-toggle-read]")?.addEventListener("click", toggleRead);

  const keys = one("#keys");
  one("[data-open-keys]")?.addEventListener("click", () => keys.showModal());

  const rows = all("[data-queue] tbody tr").filter((row) => one(".case-link", row));
  let marked = -1;
  const mark = (step) => {
    if (!rows.length) return;
    rows[marked]?.classList.remove("marked");
    marked = Math.max(0, Math.min(rows.length - 1, marked + step));
    rows[marked].classList.add("marked");
    one(".case-link", rows[marked]).focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || keys?.open) return;
    const head = one("[data-case]");
    const choice = "123456789".indexOf(event.key);
    const choices = all("[data-rule] input[name=ruling], .choices input[name=ruling]");
    if (choice >= 0 && choices[choice] && !choices[choice].matches(":disabled")) {
      choices[choice].checked = true;
      choices[choice].focus();
    } else if (event.key === "j") mark(1);
    else if (event.key === "k") mark(-1);
    else if (event.key === "s" && one("[data-toggle-read]")) toggleRead();
    else if (event.key === "r") one("#reason")?.focus();
    else if (event.key === "n" && head) location.href = head.dataset.following;
    else if (event.key === "q" && one(".brand")) location.href = one(".brand").href;
    else if (event.key === "/") one("#q")?.focus();
    else if (event.key === "?") keys?.showModal();
    else return;
    event.preventDefault();
  });

  one("[data-focus]")?.focus();
})();
