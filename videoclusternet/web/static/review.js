"use strict";
// The keys of a review: every one of them only presses what can be clicked, too.
(() => {
  const places = new Map(); // the card that each page was left at
  const unfolded = new Set();
  let waiting = false; // for the next page, while what is typed is kept for it
  let ahead = [];
  const typing = (at) => at.matches("input:not([type=checkbox]):not([type=file]), textarea, select");
  const seen = (at) => at.checkVisibility();
  const cards = () => [...document.querySelectorAll("[data-card]")].filter(seen);
  const current = () => {
    const held = document.activeElement?.closest("[data-card]");
    return held ?? document.querySelector("[data-card].current");
  };

  function go(card) {
    if (!card) return;
    document.querySelector(".current")?.classList.remove("current");
    card.classList.add("current");
    places.set(location.pathname, cards().indexOf(card));
    if (!card.contains(document.activeElement)) card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = cards();
    const at = all.indexOf(current());
    go(all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
  }

  function pressed(key) {
    const wanted = `[data-key="${CSS.escape(key)}"]`;
    const outside = [...document.querySelectorAll(wanted)].filter(seen);
    return current()?.querySelector(wanted) ?? outside.find((at) => !at.closest("[data-card]")) ?? outside[0];
  }

  function tell(text) {
    document.getElementById("live").textContent = text;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (waiting) {
      event.preventDefault();
      ahead.push(event.key);
      return;
    }
    const at = document.activeElement ?? document.body;
    if (typing(at)) {
      if (event.key === "Escape") leave(at);
    } else if (event.key !== "Enter" || !at.matches("a, button, input, summary")) {
      if (press(event.key)) event.preventDefault();
    }
  });

  function leave(field) {
    field.blur();
    go(current() ?? cards()[0]);
  }

  // Do what a key stands for, and tell whether it stands for anything.
  function press(key) {
    const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
    if (by && cards().length) {
      step(by);
      return true;
    }
    const target = pressed(key);
    if (!target || target.disabled) return false;
    if (typing(target)) {
      target.focus();
      target.select();
    } else {
      target.click();
    }
    return true;
  }

  // Do what was typed while the page was on its way, up to where the next one is asked for.
  function catchUp() {
    while (ahead.length && !waiting) {
      const key = ahead.shift();
      const at = document.activeElement ?? document.body;
      if (!typing(at)) press(key);
      else if (key === "Escape") leave(at);
      else if (key === "Enter") at.form.requestSubmit();
      else if (key === "Backspace") at.value = at.value.slice(0, -1);
      else if (key.length === 1) at.setRangeText(key, at.selectionStart, at.selectionEnd, "end");
    }
  }

  // What is done to ticked things is done to the one at hand, where too few are ticked.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.takes) return;
    const boxes = [...document.querySelectorAll(`input[name="${form.dataset.takes}"]`)];
    const least = Number(form.dataset.least ?? 1);
    const own = current()?.querySelector(`input[name="${form.dataset.takes}"]`);
    if (own && boxes.filter((box) => box.checked).length < least) own.checked = true;
    if (boxes.filter((box) => box.checked).length < least) {
      event.preventDefault();
      event.stopPropagation();
      tell(own ? "Marked. Go to the other card of this person, and merge again." : "Tick something first.");
    }
  }, true);

  document.addEventListener("click", (event) => {
    const at = event.target instanceof Element ? event.target : document.body;
    const clip = at.closest("a[data-clip]");
    const opens = at.closest("[data-opens]");
    if (clip && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      play(clip);
    } else if (opens) {
      document.getElementById(opens.dataset.opens).showModal();
    } else {
      const card = at.closest("[data-card]");
      if (card) go(card);
    }
  });

  function play(link) {
    const dialog = document.getElementById("player");
    const video = dialog.querySelector("video");
    // What the browser cannot play comes cut out and in a codec that it can.
    video.onerror = () => { video.onerror = null; video.src = link.dataset.clip; };
    video.onloadedmetadata = () => { if (!video.videoWidth) video.onerror?.(); };
    video.src = link.getAttribute("href");
    dialog.addEventListener("close", () => { video.onerror = null; video.removeAttribute("src"); video.load(); }, { once: true });
    dialog.showModal();
  }

  function wait(whether) {
    waiting = whether;
    document.documentElement.ariaBusy = String(whether);
  }

  function settle() {
    wait(false);
    for (const fold of document.querySelectorAll("[data-fold]")) fold.open = unfolded.has(fold.dataset.fold);
    const all = cards();
    const at = places.get(location.pathname) ?? 0;
    if (all.length) go(all[Math.min(at, all.length - 1)]);
    catchUp();
  }

  function fail() {
    wait(false);
    ahead = [];
    tell("The review does not answer: start it again. What was said is saved.");
  }

  document.addEventListener("toggle", (event) => {
    const { fold } = event.target.dataset;
    if (fold) unfolded[event.target.open ? "add" : "delete"](fold);
  }, true);
  document.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element && event.target.closest("[data-card]");
    if (card && !card.classList.contains("current")) go(card);
  });
  document.addEventListener("htmx:beforeRequest", () => wait(true));
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("htmx:sendError", fail);
  document.addEventListener("DOMContentLoaded", settle);
})();
