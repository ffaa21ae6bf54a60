"use strict";
// The keys of a review: every one of them only presses what can be clicked, too.
(() => {
  const places = new Map(); // the card that each page was left at
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
    const at = document.activeElement ?? document.body;
    if (typing(at)) {
      if (event.key === "Escape") {
        at.blur();
        go(current() ?? cards()[0]);
      }
      return;
    }
    if (event.key === "Enter" && at.matches("a, button, input, summary")) return;
    if (["j", "ArrowDown", "k", "ArrowUp"].includes(event.key)) {
      if (!cards().length) return;
      event.preventDefault();
      step(event.key === "j" || event.key === "ArrowDown" ? 1 : -1);
      return;
    }
    const target = pressed(event.key);
    if (!target || target.disabled) return;
    event.preventDefault();
    if (typing(target)) {
      target.focus();
      target.select();
    } else {
      target.click();
    }
  });

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

  function settle() {
    const all = cards();
    const at = places.get(location.pathname) ?? 0;
    if (all.length) go(all[Math.min(at, all.length - 1)]);
  }
  document.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element && event.target.closest("[data-card]");
    if (card && !card.classList.contains("current")) go(card);
  });
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("DOMContentLoaded", settle);
})();
