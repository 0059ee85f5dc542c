/// How the pages look: light and dark, by the reader's system or by his own choice.
enum Stylesheet {
    static let text = Self.colours + Self.page + Self.tables + Self.parts + Self.tree

    private static let colours = """
        :root {
          color-scheme: light dark;
          --ground: #f6f6f3; --surface: #ffffff; --line: #e1e2dc; --line-strong: #c9cbc3;
          --text: #1c1f24; --muted: #5c626d; --accent: #3450b8; --accent-soft: #e8ecfa;
          --good: #1d7a4c; --wait: #8a5a00; --start: #2a62b8; --bad: #b3261e; --bad-soft: #fbe9e7; --warn-soft: #fdf3dc;
          --shadow: 0 1px 2px rgb(20 22 26 / 5%);
        }
        @media (prefers-color-scheme: dark) {
          :root:not([data-theme=light]) {
            --ground: #14161a; --surface: #1b1e24; --line: #2b2f37; --line-strong: #444a55;
            --text: #e6e8eb; --muted: #9fa6b2; --accent: #9db1ff; --accent-soft: #262d45;
            --good: #63c492; --wait: #e0b45c; --start: #86b4f5; --bad: #f0908a; --bad-soft: #3a2122; --warn-soft: #362d18;
            --shadow: none;
          }
        }
        :root[data-theme=light] { color-scheme: light; }
        :root[data-theme=dark] {
          color-scheme: dark;
          --ground: #14161a; --surface: #1b1e24; --line: #2b2f37; --line-strong: #444a55;
          --text: #e6e8eb; --muted: #9fa6b2; --accent: #9db1ff; --accent-soft: #262d45;
          --good: #63c492; --wait: #e0b45c; --start: #86b4f5; --bad: #f0908a; --bad-soft: #3a2122; --warn-soft: #362d18;
          --shadow: none;
        }

        """

    private static let page = """
        *, *::before, *::after { box-sizing: border-box; }
        html { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
        body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground);
          color: var(--text); }
        a { color: var(--accent); text-decoration: none; }
        a:hover { text-decoration: underline; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
        #main:focus { outline: none; }
        code, pre { font: .87em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; }
        code { overflow-wrap: anywhere; }
        .skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--surface); z-index: 2; }
        .skip:focus { top: .5rem; }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        [hidden] { display: none !important; }
        .top { display: flex; align-items: center; gap: .25rem 1.75rem; flex-wrap: wrap; padding: .5rem 1.5rem;
          background: var(--surface); border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 1; }
        .brand { display: flex; align-items: center; gap: .55rem; color: var(--text); font-weight: 650; }
        .brand:hover { text-decoration: none; }
        .brand svg { fill: var(--accent); color: var(--accent); }
        .top nav ul, .tabs ul { display: flex; flex-wrap: wrap; gap: .15rem; margin: 0; padding: 0; list-style: none; }
        .top nav a { display: block; padding: .35rem .7rem; border-radius: 6px; color: var(--muted); }
        .top nav a:hover { color: var(--text); text-decoration: none; background: var(--ground); }
        .top nav a[aria-current] { color: var(--accent); background: var(--accent-soft); font-weight: 550; }
        .tools { margin-left: auto; display: flex; align-items: center; gap: .4rem; }
        .tools form { display: contents; }
        main { flex: 1; width: 100%; max-width: 84rem; margin: 0 auto; padding: 1.4rem 1.5rem 3rem; }
        h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 650; margin: 0 0 1rem; letter-spacing: -.01em;
          overflow-wrap: anywhere; }
        h2 { font-size: 1.02rem; font-weight: 620; margin: 0 0 .6rem; }
        section { margin: 0 0 1.75rem; }
        p { margin: 0 0 .8rem; }
        .lead { color: var(--muted); max-width: 46rem; }
        .note { color: var(--muted); font-size: .87rem; }
        .bottom { padding: .7rem 1.5rem; color: var(--muted); font-size: .85rem; border-top: 1px solid var(--line); }
        .bottom p { margin: 0 auto; max-width: 81rem; }
        .link::before { content: ""; display: inline-block; width: .5rem; height: .5rem; border-radius: 50%;
          margin-right: .4rem; background: var(--line-strong); }
        .link.on::before { background: var(--good); }
        .link.off::before { background: var(--bad); }
        .link:not(:empty) { margin-right: .9rem; }
        .link:empty { display: none; }
        .heading { display: flex; align-items: center; flex-wrap: wrap; gap: .4rem 1rem; margin-bottom: 1rem; }
        .heading h1 { margin: 0; }
        .heading .danger { margin-left: auto; }
        @media (prefers-reduced-motion: no-preference) { a, button { transition: background-color .12s, color .12s; } }
        @media (max-width: 40rem) { main { padding: 1rem .9rem 2rem; } .top, .bottom { padding-inline: .9rem; } }

        """

    private static let tables = """
        .scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--surface);
          box-shadow: var(--shadow); }
        table { width: 100%; border-collapse: collapse; background: var(--surface); font-variant-numeric: tabular-nums; }
        section > table, main table:not(.scroll table) { border: 1px solid var(--line); border-radius: 8px;
          border-spacing: 0; border-collapse: separate; overflow: hidden; box-shadow: var(--shadow); }
        caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        .rows caption { position: static; width: auto; height: auto; clip-path: none; text-align: left;
          padding: .55rem .9rem; color: var(--muted); font-size: .87rem; }
        th, td { padding: .42rem .9rem; text-align: left; vertical-align: baseline; border-top: 1px solid var(--line); }
        thead th { font-size: .82rem; font-weight: 550; color: var(--muted); white-space: nowrap; border-top: 0; }
        .rows thead th { border-top: 1px solid var(--line); background: var(--ground); }
        tbody th { font-weight: 500; }
        .rows tbody th { min-width: 11.5rem; }
        .rows.many th, .rows.many td { padding-inline: .5rem; }
        .rows.many th:first-child, .rows.many td:first-child { padding-left: .9rem; }
        .rows.many td .waits { min-width: 8rem; }
        tbody tr:hover { background: color-mix(in srgb, var(--accent-soft) 45%, transparent); }
        thead a { color: inherit; }
        th[aria-sort] a { color: var(--text); }
        th[aria-sort=ascending] a::after { content: " \\2191"; }
        th[aria-sort=descending] a::after { content: " \\2193"; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .some { color: var(--wait); font-weight: 550; }
        td.message { min-width: 18rem; max-width: 34rem; overflow-wrap: anywhere; }
        td .waits { display: block; }
        td time { white-space: nowrap; }
        td.bar { width: 45%; vertical-align: middle; }
        .name { font-weight: 550; overflow-wrap: anywhere; }
        .id { color: inherit; }

        """

    private static let parts = """
        .state { display: inline-flex; align-items: center; gap: .4rem; white-space: nowrap; font-size: .92em; }
        .state::before { content: ""; width: .58rem; height: .58rem; border-radius: 50%; background: currentColor; }
        .state.alive { color: var(--good); }
        .state.pending { color: var(--wait); }
        .state.pending::before { background: none; border: 2px solid currentColor; }
        .state.starting { color: var(--start); }
        .state.starting::before { background: linear-gradient(90deg, currentColor 50%, transparent 50%);
          border: 1.5px solid currentColor; }
        .state.restarting { color: var(--wait); }
        .state.restarting::before { border-radius: 1px; transform: rotate(45deg); }
        .state.ending, .state.ended { color: var(--muted); }
        .state.ending::before, .state.ended::before { border-radius: 1px; }
        .cause { white-space: nowrap; }
        .cause.trouble { color: var(--bad); font-weight: 550; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .8rem; margin: 0 0 1.75rem;
          padding: 0; list-style: none; }
        .figures.many { grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); }
        .figures li { padding: .8rem 1rem .75rem; background: var(--surface); border: 1px solid var(--line);
          border-radius: 8px; box-shadow: var(--shadow); }
        .figures a, .figures .label { display: block; color: var(--muted); }
        .figures strong { font-size: 1.55rem; line-height: 1.3; font-weight: 620; color: var(--text);
          font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
        .figures .note { display: block; }
        .figures .note a { display: inline; color: var(--accent); }
        .columns { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0 1.5rem; align-items: start; }
        @media (max-width: 62rem) { .columns { grid-template-columns: minmax(0, 1fr); } }
        .columns section { overflow-x: auto; }
        .meter { display: block; width: 100%; height: 6px; margin: .3rem 0; border-radius: 3px; }
        .meter .track { fill: var(--line); }
        .meter .used { fill: var(--accent); }
        .meter.full .used { fill: var(--wait); }
        .share { display: flex; align-items: center; gap: .7rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .share .meter { flex: 0 1 5.5rem; min-width: 2.5rem; }
        .card { padding: 1rem 1.1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px;
          box-shadow: var(--shadow); }
        .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: .8rem 1.8rem; margin: 0; }
        .facts dt { color: var(--muted); font-size: .82rem; }
        .facts dd { margin: 0; overflow-wrap: anywhere; }
        .facts .number { text-align: left; }
        .facts .lines code { display: block; }
        .events { margin: 0; padding: 0; list-style: none; background: var(--surface); border: 1px solid var(--line);
          border-radius: 8px; box-shadow: var(--shadow); }
        .events li { display: grid; grid-template-columns: auto 5.5rem minmax(9rem, 1fr) 2fr; gap: .2rem 1rem; align-items: baseline;
          padding: .38rem .9rem; }
        .events li + li { border-top: 1px solid var(--line); }
        .events time { color: var(--muted); font-variant-numeric: tabular-nums; font-size: .9rem; }
        .events .why { color: var(--muted); overflow-wrap: anywhere; }
        .actorStarted .kind, .nodeJoined .kind { color: var(--good); }
        .actorRestarting .kind { color: var(--wait); }
        .nodeLost .kind { color: var(--bad); }
        .actorEnded .kind { color: var(--muted); }
        @media (max-width: 48rem) { .events li { grid-template-columns: auto 1fr; } .events .what, .events .why { grid-column: 1 / -1; } }
        .tabs { margin-bottom: .9rem; border-bottom: 1px solid var(--line); }
        .tabs a { display: block; padding: .4rem .8rem; color: var(--muted); border-bottom: 2px solid transparent;
          margin-bottom: -1px; }
        .tabs a[aria-current] { color: var(--text); border-color: var(--accent); font-weight: 550; }
        .count { font-size: .82rem; color: var(--muted); font-weight: 400; font-variant-numeric: tabular-nums;
          margin-left: .25rem; }
        .filter { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .6rem; margin-bottom: .9rem; }
        .filter label { color: var(--muted); font-size: .87rem; }
        .filter .field { display: flex; align-items: center; gap: .5rem; }
        .filter input[type=search] { flex: 1 1 16rem; max-width: 26rem; }
        .filter.many input[type=search] { flex: none; width: 11rem; }
        .filter .time { width: 10rem; }
        .warning p { margin: 0; }
        input, select, button, .danger, .quiet { font: inherit; padding: .32rem .65rem; border-radius: 6px;
          border: 1px solid var(--line-strong); background: var(--surface); color: var(--text); }
        input[type=checkbox] { padding: 0; accent-color: var(--accent); }
        input::placeholder { color: var(--muted); opacity: 1; }
        button, .danger, .quiet { cursor: pointer; font-size: .92rem; }
        .quiet { border-color: transparent; background: none; color: var(--muted); }
        .quiet:hover { color: var(--text); background: var(--ground); text-decoration: none; }
        .primary { background: var(--accent); border-color: var(--accent); color: var(--ground); font-weight: 550; }
        .danger { color: var(--bad); border-color: color-mix(in srgb, var(--bad) 45%, var(--line)); }
        .danger:hover { background: var(--bad-soft); text-decoration: none; }
        .pager { display: flex; flex-wrap: wrap; align-items: center; gap: 1rem; padding: .8rem .2rem; }
        .pager .off { color: var(--line-strong); }
        .pager .where { font-variant-numeric: tabular-nums; color: var(--muted); }
        .nothing { padding: 1.6rem 1rem; text-align: center; color: var(--muted); background: var(--surface);
          border: 1px dashed var(--line-strong); border-radius: 8px; }
        .warning, .away { padding: .65rem .95rem; border-radius: 8px; background: var(--warn-soft); margin-bottom: 1rem;
          border: 1px solid color-mix(in srgb, var(--wait) 35%, transparent); overflow-wrap: anywhere; }
        .chosen { color: var(--muted); }
        .pills { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: 0 0 .8rem; list-style: none; }
        .pills li { padding: .25rem .7rem; background: var(--surface); border: 1px solid var(--line); border-radius: 6px; }
        .form { max-width: 36rem; }
        .form form { display: grid; gap: .5rem; justify-items: start; }
        .form input[type=password] { width: 100%; }
        .form p { margin: 0 0 .4rem; }
        .buttons { display: flex; gap: .6rem; }
        .log { margin: 0; padding: .4rem 0; list-style: none; max-height: calc(100vh - 17rem); min-height: 12rem; overflow: auto;
          background: var(--surface); border: 1px solid var(--line); border-radius: 8px; box-shadow: var(--shadow); }
        .log li { display: grid; grid-template-columns: auto 4.2rem minmax(9rem, 16rem) minmax(0, 1fr); gap: 0 .9rem;
          padding: .08rem .9rem; align-items: baseline; font-size: .93rem; }
        .log li:hover { background: var(--ground); }
        .log time { color: var(--muted); font-variant-numeric: tabular-nums; }
        .log .level { color: var(--muted); font-size: .85rem; }
        .log .origin { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .log .text { font: .92em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
          white-space: pre-wrap; overflow-wrap: anywhere; }
        .log .is-warning .level { color: var(--wait); font-weight: 550; }
        .log .is-error .level, .log .is-critical .level { color: var(--bad); font-weight: 550; }
        .log .gap .text { color: var(--bad); }
        .log li.gap > .text:only-child { grid-column: 1 / -1; }
        .log.short { max-height: 26rem; min-height: 0; }
        .after { margin: .5rem 0 0; }
        @media (max-width: 48rem) { .log li { grid-template-columns: auto 1fr; padding-block: .25rem; }
          .log .origin, .log .text { grid-column: 1 / -1; } }
        pre { overflow: auto; max-height: 26rem; margin: 0; padding: .8rem 1rem; background: var(--surface);
          border: 1px solid var(--line); border-radius: 8px; }

        """

    private static let tree = """
        .tree { padding: .9rem 1.1rem 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px;
          box-shadow: var(--shadow); overflow-x: auto; margin-bottom: 1rem; }
        .tree h2 { margin: 0; display: flex; align-items: baseline; gap: .5rem; white-space: nowrap; }
        .tree h2 .note { font-weight: 400; }
        .tree ul { margin: 0; padding: 0; list-style: none; }
        .tree ul[role=tree] { margin-left: .45rem; }
        .tree li { position: relative; padding-left: 1.5rem; }
        .tree li::before { content: ""; position: absolute; left: 0; top: 0; width: 1.05rem; height: 1.12rem;
          border: solid var(--line-strong); border-width: 0 0 1.5px 1.5px; border-bottom-left-radius: 7px; }
        .tree li:not(:last-child)::after { content: ""; position: absolute; left: 0; top: 0; bottom: 0;
          border-left: 1.5px solid var(--line-strong); }
        .tree li:focus-visible { outline: none; }
        .tree li:focus-visible > .twig .actor { outline: 2px solid var(--accent); outline-offset: 1px; }
        .tree li > ul { margin-left: .62rem; }
        .twig { display: flex; align-items: center; gap: .25rem; padding: .16rem 0; white-space: nowrap; }
        .toggle, .leaf { flex: none; width: 1.25rem; height: 1.25rem; }
        .leaf::before { content: ""; display: block; width: .3rem; height: .3rem; margin: .47rem; border-radius: 50%;
          background: var(--line-strong); }
        .toggle { display: grid; place-items: center; border: 1.5px solid var(--line-strong); border-radius: 5px;
          color: var(--muted); background: var(--surface); position: relative; z-index: 0; }
        .toggle:hover { border-color: var(--accent); color: var(--accent); text-decoration: none; }
        .toggle::before { content: "+"; font: 600 .95rem/1 ui-monospace, "DejaVu Sans Mono", monospace; }
        [aria-expanded=true] > .twig .toggle::before { content: "\\2212"; }
        .actor { display: inline-flex; align-items: center; gap: .5rem; padding: .1rem .55rem; border-radius: 6px; }
        .actor:hover { background: var(--ground); }
        .actor .state { font-size: 0; gap: 0; }
        .actor .state::before { font-size: 15px; }
        .actor .type { color: var(--muted); }
        .place { font-variant-numeric: tabular-nums; margin-left: .6rem; }
        .rest { padding-block: .16rem; }

        """
}
