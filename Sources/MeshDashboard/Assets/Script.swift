/// What pages do beyond being read. All of them can be read, and used, without it.
enum Script {
    static let text = Self.theme + Self.morph + Self.live + Self.navigation + Self.tree + Self.start

    private static let theme = """
        'use strict';
        // At once, so that a page does not flash in the other colours.
        const themes = ['system', 'light', 'dark'];
        let theme = 'system';
        try { theme = localStorage.getItem('mesh-theme') || 'system'; } catch { /* the browser keeps nothing */ }
        function showTheme() {
          if (theme === 'system') document.documentElement.removeAttribute('data-theme');
          else document.documentElement.setAttribute('data-theme', theme);
          const button = document.getElementById('theme');
          if (!button) return;
          button.hidden = false;
          button.textContent = 'Theme: ' + theme;
        }
        function nextTheme() {
          theme = themes[(themes.indexOf(theme) + 1) % themes.length];
          try { localStorage.setItem('mesh-theme', theme); } catch { /* then only for this page */ }
          showTheme();
        }
        showTheme();

        // Times in the reader's own zone.
        const clock = { hourCycle: 'h23' };
        const fine = { hourCycle: 'h23', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 };
        function localise(root) {
          for (const time of root.querySelectorAll('time[datetime]')) {
            const date = new Date(time.dateTime);
            if (isNaN(date)) continue;
            const isToday = date.toDateString() === new Date().toDateString();
            const style = time.dataset.fine === undefined ? clock : fine;
            time.title = date.toLocaleString([], clock);
            time.textContent = (isToday ? '' : date.toLocaleDateString() + ' ') + date.toLocaleTimeString([], style);
          }
        }


        """

    private static let morph = """
        // Makes one element like another with as few changes as there are, so that the focus, a selection and what was
        // typed stay where they are.
        function morph(from, to) {
          for (const { name } of [...from.attributes]) {
            if (name !== 'tabindex' && !to.hasAttribute(name)) from.removeAttribute(name);
          }
          for (const { name, value } of to.attributes) {
            if (name === 'tabindex' && from.hasAttribute('tabindex')) continue;
            if (from.getAttribute(name) !== value) from.setAttribute(name, value);
          }
          if (from.tagName === 'INPUT' || from.tagName === 'SELECT') {
            // What is being chosen, in one field after the other, is not sent yet.
            if (from === document.activeElement || typing && from.closest('form[data-soft]')) return;
            if (from.tagName === 'INPUT') { from.value = to.getAttribute('value') || ''; return; }
          }
          const known = new Map();
          for (const child of from.children) if (child.id) known.set(child.id, child);
          const kept = new Set([...to.children].map(child => child.id));
          let cursor = from.firstChild;
          function drop() { const after = cursor.nextSibling; cursor.remove(); cursor = after; }
          for (const next of [...to.childNodes]) {
            // What is not there any more goes, so that what follows it meets what it was.
            while (cursor && (cursor.id && !kept.has(cursor.id) || next.nodeType === 1 && cursor.nodeType !== 1)) drop();
            let match = null;
            if (next.nodeType === 1 && next.id) match = known.get(next.id) || null;
            else if (cursor && cursor.nodeType === next.nodeType && !cursor.id) match = cursor;
            if (match && match.nodeName !== next.nodeName) match = null;
            if (!match) { from.insertBefore(next, cursor); continue; }
            if (match === cursor) cursor = cursor.nextSibling; else from.insertBefore(match, cursor);
            if (match.nodeType === 1) morph(match, next);
            else if (match.data !== next.data) match.data = next.data;
          }
          while (cursor) drop();
        }
        // A log keeps the lines that it has shown, up to so many, as long as the same is chosen.
        const lineLimit = 2000;
        function keepLines(log, next) {
          if (!log || !next || log.dataset.follow !== next.dataset.follow) return;
          const ids = new Set([...next.children].map(line => line.id));
          const old = [...log.children].filter(line => !ids.has(line.id));
          const first = next.firstElementChild;
          if (old.length && old.length === log.children.length && first && !first.id.startsWith('p')) {
            // None of the lines that were there is there still: as after a pause.
            const gap = document.createElement('li');
            gap.id = 'before-' + first.id;
            gap.className = 'gap';
            gap.innerHTML = '<span class="text">Here more was said than is shown.</span>';
            next.prepend(gap);
          }
          const room = Math.max(0, lineLimit - next.children.length);
          next.prepend(...old.slice(Math.max(0, old.length - room)).map(line => line.cloneNode(true)));
        }
        // One that is read at its end stays at its end.
        function atEnd(log) { return log.scrollHeight - log.scrollTop - log.clientHeight < 24; }
        function follow() { for (const log of document.querySelectorAll('[data-follow]')) log.scrollTop = log.scrollHeight; }
        function show(content) {
          localise(content);
          const log = document.querySelector('[data-follow]');
          const isAtEnd = !log || atEnd(log);
          keepLines(log, content.querySelector('[data-follow]'));
          morph(document.getElementById('live'), content);
          if (isAtEnd) follow();
          keepTree();
        }


        """

    private static let live = """
        // What is new comes by itself.
        let events = null;
        let isPaused = false;
        function say(text, kind) {
          const link = document.getElementById('link');
          link.className = 'link ' + kind;
          if (link.textContent !== text) link.textContent = text;
        }
        function listen() {
          if (events) events.close();
          events = null;
          const address = document.body.dataset.live;
          if (!address || isPaused) return;
          const source = new EventSource(address);
          events = source;
          source.onopen = () => say('live', 'on');
          source.onerror = () => {
            if (events !== source) return;
            say('the dashboard does not answer; trying again', 'off');
            // After an answer that is no stream a browser does not try again by itself.
            if (source.readyState === EventSource.CLOSED) setTimeout(() => { if (events === source) listen(); }, 3000);
          };
          source.addEventListener('content', event => {
            if (events !== source) return;
            const parsed = new DOMParser().parseFromString('<div id="live">' + event.data + '</div>', 'text/html');
            show(parsed.getElementById('live'));
          });
        }
        function pause() {
          isPaused = !isPaused;
          const button = document.getElementById('pause');
          button.textContent = isPaused ? 'Go on' : 'Pause';
          button.setAttribute('aria-pressed', String(isPaused));
          if (isPaused) say('paused', '');
          listen();
        }
        addEventListener('pagehide', () => { if (events) events.close(); });
        addEventListener('pageshow', event => { if (event.persisted) listen(); });


        """

    private static let navigation = """
        // Another part of the same page, without a new page: the focus stays.
        let latest = 0;
        async function visit(address, keep) {
          const number = ++latest;
          let text;
          try {
            const answer = await fetch(address, { headers: { Accept: 'text/html' } });
            // A page that says what is wrong with its address has the form by which that is mended.
            if (!answer.ok && answer.status !== 400) { location.href = address; return; }
            text = await answer.text();
          } catch { location.href = address; return; }
          if (number !== latest) return;
          const page = new DOMParser().parseFromString(text, 'text/html');
          const content = page.getElementById('live');
          if (!content || !page.body.dataset.live) { location.href = address; return; }
          document.title = page.title;
          document.body.dataset.live = page.body.dataset.live;
          if (keep) history.replaceState(null, '', address); else history.pushState(null, '', address);
          show(content);
          listen();
        }
        addEventListener('popstate', () => location.reload());
        document.addEventListener('click', event => {
          const link = event.target.closest('a[data-soft]');
          if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
          event.preventDefault();
          visit(link.href, false);
        });
        function choose(form, keep) {
          const parameters = new URLSearchParams();
          for (const [name, value] of new FormData(form)) if (value) parameters.append(name, value);
          const query = parameters.toString();
          visit(location.pathname + (query ? '?' + query : ''), keep);
        }
        document.addEventListener('submit', event => {
          if (!event.target.matches('form[data-soft]')) return;
          event.preventDefault();
          choose(event.target, false);
        });
        let typing = 0;
        document.addEventListener('input', event => {
          const form = event.target.closest('form[data-soft]');
          if (!form) return;
          clearTimeout(typing);
          typing = setTimeout(() => {
            typing = 0;
            choose(form, true);
          }, event.target.tagName === 'SELECT' ? 0 : 250);
        });


        """

    private static let tree = """
        // The tree is one stop of the Tab key; within it one goes by the arrows.
        function keepTree() {
          for (const tree of document.querySelectorAll('[role=tree]')) {
            for (const link of tree.querySelectorAll('a')) link.tabIndex = -1;
            const items = [...tree.querySelectorAll('[role=treeitem]')];
            const current = items.find(item => item === document.activeElement)
              || items.find(item => item.tabIndex === 0) || items[0];
            for (const item of items) item.tabIndex = item === current ? 0 : -1;
          }
        }
        function go(tree, item) {
          if (!item) return;
          for (const other of tree.querySelectorAll('[role=treeitem]')) other.tabIndex = -1;
          item.tabIndex = 0;
          item.focus();
        }
        document.addEventListener('keydown', event => {
          const item = event.target.closest && event.target.closest('[role=treeitem]');
          if (!item || event.target !== item || event.ctrlKey || event.metaKey || event.altKey) return;
          const tree = item.closest('[role=tree]');
          const items = [...tree.querySelectorAll('[role=treeitem]')];
          const index = items.indexOf(item);
          const expanded = item.getAttribute('aria-expanded');
          const toggle = item.querySelector(':scope > .twig > .toggle');
          switch (event.key) {
          case 'ArrowDown': go(tree, items[index + 1]); break;
          case 'ArrowUp': go(tree, items[index - 1]); break;
          case 'Home': go(tree, items[0]); break;
          case 'End': go(tree, items[items.length - 1]); break;
          case 'ArrowRight':
            if (expanded === 'false') toggle.click();
            else if (expanded === 'true') go(tree, item.querySelector('[role=treeitem]'));
            break;
          case 'ArrowLeft':
            if (expanded === 'true') toggle.click();
            else go(tree, item.parentElement.closest('[role=treeitem]'));
            break;
          case 'Enter': { const link = item.querySelector(':scope > .twig .actor a'); if (link) link.click(); break; }
          case ' ': if (toggle) toggle.click(); break;
          default: return;
          }
          event.preventDefault();
        });


        """

    private static let start = """
        document.addEventListener('DOMContentLoaded', () => {
          showTheme();
          document.getElementById('theme').addEventListener('click', nextTheme);
          localise(document.body);
          keepTree();
          follow();
          if (!document.body.dataset.live) return;
          const button = document.getElementById('pause');
          button.hidden = false;
          button.addEventListener('click', pause);
          for (const refresh of document.querySelectorAll('meta[http-equiv=refresh]')) refresh.remove();
          listen();
        });

        """
}
