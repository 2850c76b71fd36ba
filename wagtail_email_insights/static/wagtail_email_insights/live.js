/*
 * Keeps parts of an admin screen fresh: <div data-wei-live="URL" data-wei-every="SECONDS">.
 * Content is fetched when the element comes into view and then again and again while it stays
 * there and the tab is in front; it is replaced only when it has changed, so that nothing flickers
 * and screen readers are not told the same thing twice. Without JavaScript the link inside works.
 * data-wei-once="URL" inside <details> is fetched once, when that is opened.
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
        var isFirst = element.getAttribute('aria-busy') === 'true';
        element.removeAttribute('aria-busy');
        // A form's token differs from answer to answer, whatever it stands in does not.
        var content = html.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, '');
        if (content === element.weiLast) return;
        // Somebody is working inside: do not pull the ground away.
        if (!isFirst && isWorkedIn(element)) return;
        element.weiLast = content;
        replace(element, html);
        if (element.querySelector('[data-wei-reload]')) window.location.reload();
      })
      .catch(function () {
        /* The next turn tries again; what is shown stays. */
      })
      .then(function () {
        element.weiBusy = false;
      });
  }

  /* The part with an id whose summary has the focus: that can be found again in new content. */
  function focused() {
    var details = document.activeElement && document.activeElement.closest('details[id]');
    return details && document.activeElement.localName === 'summary' ? details.id : '';
  }

  function isWorkedIn(element) {
    return element.contains(document.activeElement) && !focused();
  }

  /* What somebody has unfolded or ticked stays so, and the focus stays where it is. */
  function replace(element, html) {
    var focus = element.contains(document.activeElement) ? focused() : '';
    var open = Array.from(element.querySelectorAll('details[id][open]'), function (details) {
      return details.id;
    });
    var ticked = Array.from(element.querySelectorAll('input[name]:checked'), function (input) {
      return [input.name, input.value];
    });
    element.innerHTML = html;
    element.querySelectorAll('input[name]').forEach(function (input) {
      if (ticked.some(function (pair) { return pair[0] === input.name && pair[1] === input.value; })) {
        input.checked = true;
      }
    });
    open.forEach(function (id) {
      var details = document.getElementById(id);
      if (details) details.open = true;
    });
    var again = focus && document.getElementById(focus);
    if (again) again.querySelector('summary').focus({ preventScroll: true });
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

  /* <details><summary>…</summary><div data-wei-once="URL">…</div></details>: fetched when opened. */
  function loadOnce(event) {
    var element = event.target.open && event.target.querySelector('[data-wei-once]');
    if (!element) return;
    element.dataset.weiLive = element.dataset.weiOnce;
    element.removeAttribute('data-wei-once');
    element.setAttribute('aria-busy', 'true');
    load(element);
  }

  function start() {
    document.addEventListener('toggle', loadOnce, true);
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
