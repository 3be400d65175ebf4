// What pages can do beyond links and forms: follow changes live, drag posts in the calendar, copy commands, switch light and dark.
// Everything works without it.
"use strict";
(() => {
  const root = document.documentElement;
  const body = document.body;

  // Light and dark; theme.js has set what was chosen before.
  document.addEventListener("click", (e) => {
    if (!e.target.closest("[data-theme-toggle]")) return;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* some windows keep nothing */ }
  });

  // What happened, told at the foot of the page and to screen readers.
  const toast = document.getElementById("toast");
  let toastTimer;
  function tell(text, kind) {
    clearTimeout(toastTimer);
    const p = document.createElement("p");
    p.className = "notice " + (kind || "");
    p.textContent = text;
    toast.replaceChildren(p);
    toastTimer = setTimeout(() => toast.replaceChildren(), kind === "bad" ? 12000 : 5000);
  }

  // Copy a command.
  document.addEventListener("click", async (e) => {
    const button = e.target.closest(".copy");
    if (!button) return;
    const text = button.dataset.text || button.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      tell("Copied: " + text);
    } catch {
      tell("The browser does not let this page copy.", "bad");
    }
  });

  // Filters apply as they are chosen.
  document.addEventListener("change", (e) => {
    const form = e.target.closest("form[data-auto]");
    if (form && e.target.matches("select")) form.requestSubmit();
  });

  // On a phone the navigation goes beyond the screen: where we are is seen.
  const current = document.querySelector(".nav [aria-current]");
  if (current) current.closest("ul").scrollLeft = current.offsetLeft - (current.closest("ul").clientWidth - current.offsetWidth) / 2;

  // Keys: / searches, ? is left to the browser.
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, [contenteditable]")) return;
    const q = document.getElementById("q");
    if (q) { e.preventDefault(); q.focus(); q.select(); }
  });

  // What the reader has scrolled. To ask all that could have been would cost a layout of the page with every update.
  const moved = new Set();
  document.addEventListener("scroll", (e) => { if (e.target.dataset?.scroll) moved.add(e.target); }, { capture: true, passive: true });

  // Fields are known again by their names, boxes to tick by what they stand for too.
  const box = (f) => f.type === "checkbox" || f.type === "radio";
  const place = (f) => `[name="${CSS.escape(f.name)}"]` + (box(f) ? `[value="${CSS.escape(f.value)}"]` : "");

  // spot is where what has the focus is found again.
  function spot(n) {
    if (n.id) return "#" + CSS.escape(n.id);
    if (n.name) return place(n);
    if (n.matches("a[href]")) return `a[href="${CSS.escape(n.getAttribute("href"))}"]`;
    return n.matches("details[id] > summary") ? `#${CSS.escape(n.parentElement.id)} > summary` : "";
  }

  // kept notes what the reader has in a block: open details, focus, scroll, half-filled fields.
  function kept(block) {
    const old = document.getElementById(block.id);
    if (!old || old.dataset.h === block.hash) return null;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const unchanged = (f) => box(f) ? f.checked === f.defaultChecked : f.value === (f.tagName === "SELECT" ? [...f.options].find((o) => o.defaultSelected)?.value : f.defaultValue);
    return {
      block, old,
      open: new Map([...old.querySelectorAll("details[id]")].map((d) => [d.id, d.open])),
      focus: focused && spot(focused),
      typed: [...old.querySelectorAll("input[name], textarea[name], select[name]")].filter((f) => f.type !== "hidden" && !unchanged(f)).map((f) => [place(f), f.value, f.checked]),
      scrolled: [...moved].filter((n) => old.contains(n)).map((n) => [n.dataset.scroll, n.scrollTop, n.scrollLeft]),
    };
  }

  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // swap puts a block's new content in place and gives the reader back what was kept.
  function swap({ block, old, open, focus, typed, scrolled }) {
    const template = document.createElement("template");
    template.innerHTML = block.html;
    for (const d of template.content.querySelectorAll("details[id]")) if (open.has(d.id)) d.open = open.get(d.id);
    old.replaceChildren(template.content);
    old.dataset.h = block.hash;
    for (const [where, value, checked] of typed) {
      const field = old.querySelector(where);
      if (!field) continue;
      if (box(field)) field.checked = checked;
      else field.value = value;
    }
    for (const [key, top, left] of scrolled) {
      const n = old.querySelector(`[data-scroll="${CSS.escape(key)}"]`);
      if (n) { n.scrollTop = top; n.scrollLeft = left; moved.add(n); }
    }
    if (focus) old.querySelector(focus)?.focus({ preventScroll: true });
  }

  // show draws the eye to what has just changed.
  function show({ old }) {
    if (!calm.matches && old.classList.contains("block")) old.animate({ opacity: [0.35, 1] }, { duration: 350, easing: "ease-out" });
  }

  // Blocks that are in the window, or nearly: what is looked at is brought up to date first.
  const near = new Set();
  const view = new IntersectionObserver((list) => {
    for (const e of list) if (e.isIntersecting) near.add(e.target); else near.delete(e.target);
  }, { rootMargin: "200px" });
  for (const n of document.querySelectorAll("#main > .block")) view.observe(n);

  let rest; // does what is left of the last update
  function finish() {
    clearTimeout(rest?.timer);
    rest?.now();
  }

  // apply takes a page as the server has it now: ids in order, and the blocks that differ.
  function apply(update) {
    finish();
    const main = document.getElementById("main");
    const here = [...main.querySelectorAll(":scope > .block")].map((n) => n.id);
    for (const n of here.filter((id) => !update.order.includes(id)).map((id) => document.getElementById(id))) {
      view.unobserve(n);
      near.delete(n);
      n.remove();
    }
    let before = null;
    for (const id of update.order) {
      let n = document.getElementById(id);
      if (!n) {
        n = document.createElement("div");
        n.className = "block";
        n.id = id;
        near.add(n);
        view.observe(n);
      }
      const next = before ? before.nextElementSibling : main.firstElementChild;
      if (n !== next) main.insertBefore(n, next);
      before = n;
    }
    const exchange = (blocks) => {
      const changed = blocks.map(kept).filter(Boolean);
      changed.forEach(swap);
      requestAnimationFrame(() => changed.forEach(show)); // the new text need not wait for it
    };
    const first = update.blocks.filter((b) => near.has(document.getElementById(b.id)));
    exchange(first);
    if (update.title) document.title = update.title + " · " + body.dataset.site;
    rest = {
      now() {
        rest = undefined;
        exchange(update.blocks.filter((b) => !first.includes(b)));
        for (const n of moved) if (!n.isConnected) moved.delete(n);
      },
    };
    rest.timer = setTimeout(finish);
  }

  // Live: one connection while the page is looked at, none while it is hidden (browsers allow a page's server only six).
  let source;
  function state(word) {
    for (const n of document.querySelectorAll("[data-live-state]")) {
      n.dataset.state = word;
      const text = word === "on" ? "live" : "not connected";
      if (n.textContent !== text) n.textContent = text;
    }
  }
  function connect() {
    if (source || !body.dataset.live || document.hidden) return;
    const hashes = [...document.querySelectorAll("#main > .block, #nav")].map((n) => n.id + "." + n.dataset.h).join(" ");
    const query = new URLSearchParams({ page: body.dataset.here, have: hashes, v: body.dataset.version });
    source = new EventSource(body.dataset.live + "?" + query);
    source.addEventListener("open", () => state("on"));
    source.addEventListener("error", () => state("off"));
    source.addEventListener("blocks", (e) => apply(JSON.parse(e.data)));
    source.addEventListener("reload", () => location.reload());
  }
  function disconnect() {
    source?.close();
    source = undefined;
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connect);
  connect();

  // Drag a post to another day of the calendar. It keeps its time of day.
  let dragged;
  document.addEventListener("dragstart", (e) => {
    dragged = e.target.closest?.("a[data-source]");
    if (dragged) {
      e.dataTransfer.effectAllowed = "move";
      e.dataTransfer.setData("text/plain", dragged.href);
    }
  });
  const dayOf = (e) => dragged && e.target.closest?.("[data-day]");
  document.addEventListener("dragover", (e) => {
    const day = dayOf(e);
    for (const d of document.querySelectorAll(".day.drop")) if (d !== day) d.classList.remove("drop");
    if (!day) return;
    e.preventDefault();
    e.dataTransfer.dropEffect = "move";
    day.classList.add("drop");
  });
  document.addEventListener("dragend", () => {
    dragged = undefined;
    for (const d of document.querySelectorAll(".day.drop")) d.classList.remove("drop");
  });
  document.addEventListener("drop", async (e) => {
    const day = dayOf(e);
    if (!day) return;
    e.preventDefault();
    day.classList.remove("drop");
    const { source: version, time } = dragged.dataset;
    const { token } = day.closest("[data-token]").dataset; // it comes anew with the days when the server was started again
    const move = new URL(dragged.href).pathname + "/move";
    dragged = undefined;
    try {
      const response = await fetch(move, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams({ token, source: version, at: day.dataset.day + "T" + time }),
      });
      const answer = await response.json();
      tell(answer.message, response.ok ? "good" : "bad");
    } catch {
      tell("The preview does not answer: is it still running?", "bad");
    }
  });
})();
