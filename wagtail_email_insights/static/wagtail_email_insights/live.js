/*
 * Keeps parts of an admin screen fresh: <div data-wei-live="URL" data-wei-every="SECONDS">.
 * Content is fetched when the element comes into view and then again and again while it stays
 * there and the tab is in front; it is replaced only when it has changed, so that nothing flickers
 * and screen readers are not told the same thing twice. Without JavaScript the link inside works.
 */
(function () {
  'use strict';

  function load(element) {
    if (element.weiBusy) return;
    element.weiBusy = true;
    fetch(element.dataset.weiLive, {
      credentials: 'same-origin',
      headers: { 'X-Requested-With': 'XMLHttpRequest' },
    })
      .then(function (response) {
        if (!response.ok || response.redirected) throw new Error(String(response.status));
        return response.text();
      })
      .then(function (html) {
        element.removeAttribute('aria-busy');
        if (html === element.weiLast) return;
        // Somebody is working inside: do not pull the ground away.
        if (element.contains(document.activeElement) && element.weiLast) return;
        element.weiLast = html;
        element.innerHTML = html;
        if (element.querySelector('[data-wei-reload]')) window.location.reload();
      })
      .catch(function () {
        /* The next turn tries again; what is shown stays. */
      })
      .then(function () {
        element.weiBusy = false;
      });
  }

  function watch(element) {
    var every = Math.max(1, Number(element.dataset.weiEvery) || 5) * 1000;
    var visible = false;
    new IntersectionObserver(function (entries) {
      var now = entries[entries.length - 1].isIntersecting;
      if (now && !visible) load(element);
      visible = now;
    }).observe(element);
    window.setInterval(function () {
      if (visible && !document.hidden && !element.querySelector('[data-wei-done]')) load(element);
    }, every);
  }

  function start() {
    document.querySelectorAll('[data-wei-live]').forEach(function (element) {
      if (element.weiWatched) return;
      element.weiWatched = true;
      watch(element);
    });
  }

  if (document.readyState === 'loading') {
    document.addEventListener('DOMContentLoaded', start);
  } else {
    start();
  }
})();
