// @ts-check
/** The shell: session, navigation and pages. The address is the state. */
import { html, render, useEffect, useState } from './vendor/preact-htm.js';
import { send, whenSignedOut } from './lib/api.js';
import { go, Problem } from './lib/ui.js';

const PAGES = [
  { path: '/', title: 'Processes', file: 'processes', group: 'Node' },
  { path: '/cluster', title: 'Cluster', file: 'cluster' },
  { path: '/metrics-charts', title: 'Metrics', file: 'metrics' },
  { path: '/logs', title: 'Logs', file: 'logs' },
  { path: '/applications', title: 'Applications', file: 'applications', group: 'Serve', isNode: true },
  { path: '/decisions', title: 'Decisions', file: 'decisions', isNode: true },
  { path: '/models', title: 'Models', file: 'models', isNode: true },
  { path: '/console', title: 'Console', file: 'console', isNode: true },
  { path: '/core', title: 'Tasks and actors', file: 'core', group: 'Core' },
  { path: '/timeline', title: 'Timeline', file: 'timeline' },
];

/** @param {string} path */
function pageOf(path) {
  return PAGES.find((page) => page.path === path) ?? PAGES.find((page) => page.path !== '/' && path.startsWith(`${page.path}/`));
}

function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem('serve-theme') ?? 'system');
  useEffect(() => {
    localStorage.setItem('serve-theme', theme);
    if (theme === 'system')
      delete document.documentElement.dataset.theme;
    else
      document.documentElement.dataset.theme = theme;
  }, [theme]);
  return html`<label class="row"><span class="hidden">Theme</span><select value=${theme} onChange=${(/** @type {any} */ event) => setTheme(event.target.value)}>
    <option value="system">System theme</option><option value="light">Light</option><option value="dark">Dark</option></select></label>`;
}

/** @param {{ signIn: (body: any) => Promise<void> }} props */
function Login({ signIn }) {
  const [error, setError] = useState('');
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    try {
      await signIn({ token: new FormData(event.currentTarget).get('token') });
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  return html`<main class="login"><div class="card"><div class="row"><img src="/icon.svg" alt="" width="32" height="32" /><h1>Sign in to Serve</h1></div>
    <p class="muted">This node requires its token. <code>serve dashboard</code> opens this page signed in; or paste the content of the file <code>token</code> in the node’s state directory.</p>
    ${error && html`<${Problem}>${error}<//>`}
    <form onSubmit=${submit}><label>Token<input name="token" type="password" autocomplete="current-password" required autofocus /></label><button class="primary">Sign in</button></form></div></main>`;
}

/** @param {{ session: any, signOut: () => void }} props */
function Shell({ session, signOut }) {
  const [path, setPath] = useState(location.pathname);
  const [, setSearch] = useState(location.search);
  const [page, setPage] = useState(/** @type {any} */ (null));
  const [error, setError] = useState('');
  useEffect(() => {
    const update = () => {
      setPath(location.pathname);
      setSearch(location.search);
    };
    addEventListener('popstate', update);
    return () => removeEventListener('popstate', update);
  }, []);
  const pages = PAGES.filter((each) => !each.isNode || session.kind === 'node');
  const found = pageOf(path);
  useEffect(() => {
    document.title = `${found?.title ?? 'Not found'} · Serve`;
    if (!found)
      return;
    import(`./pages/${found.file}.js`).then((module) => setPage({ file: found.file, View: module.default }), (failure) => setError(String(failure)));
  }, [found?.file]);
  const navigate = (/** @type {any} */ event) => {
    const link = event.target.closest('a');
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.origin !== location.origin || !pageOf(link.pathname))
      return;
    event.preventDefault();
    go(link.pathname + link.search);
    scrollTo(0, 0);
  };
  return html`<div class="shell" onClick=${navigate}>
    <a class="skip" href="#main">Skip to content</a>
    <header class="side"><a class="brand" href="/"><img src="/icon.svg" alt="" /><span>Serve</span></a>
      <nav aria-label="Pages">${pages.map((each) => html`${each.group && html`<div class="group" key=${each.group}>${each.group}</div>`}<a key=${each.path} href=${each.path} aria-current=${found === each ? 'page' : undefined}>${each.title}</a>`)}
        ${session.kind === 'node' && html`<a href="/docs" target="_blank" rel="noopener">API docs ↗</a>`}
        ${session.grafana_url && html`<a href=${session.grafana_url} target="_blank" rel="noopener">Grafana ↗</a>`}</nav>
      <div class="foot"><div class="where muted">${session.node_id}<br />version ${session.version}${session.read_only ? ' · read-only' : ''}</div>
        <div class="row"><${Theme} />${session.token_required && html`<button class="quiet" type="button" onClick=${signOut}>Sign out</button>`}</div></div></header>
    <main id="main">${error && html`<${Problem}>${error}<//>`}
      ${!found ? html`<h1>Not found</h1><p>There is no page at <code>${path}</code>. <a href="/">Open the processes</a>.</p>`
        : page?.file === found.file && html`<${page.View} session=${session} path=${path.slice(found.path.length).split('/').filter(Boolean).map(decodeURIComponent)} />`}</main></div>`;
}

function App() {
  const [session, setSession] = useState(/** @type {any} */ (null));
  const [error, setError] = useState('');
  const load = async () => {
    try {
      const code = new URLSearchParams(location.hash.slice(1)).get('code');
      if (code) {
        history.replaceState(null, '', location.pathname + location.search);
        await send('/api/v1/session', { method: 'POST', body: { code } }).catch(() => {});
      }
      setSession(await send('/api/v1/session'));
      setError('');
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
      setTimeout(load, 2000);
    }
  };
  useEffect(() => {
    whenSignedOut(load);
    load();
  }, []);
  const signIn = async (/** @type {any} */ body) => {
    await send('/api/v1/session', { method: 'POST', body });
    await load();
  };
  const signOut = async () => {
    await send('/api/v1/session', { method: 'DELETE' });
    await load();
  };
  if (!session)
    return error ? html`<main><${Problem}>${error}<//></main>` : null;
  return session.signed_in ? html`<${Shell} session=${session} signOut=${signOut} />` : html`<${Login} signIn=${signIn} />`;
}

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById('app')));
