// @ts-check
import { html, useEffect, useState } from '../vendor/preact-htm.js';
import { Empty, LiveState, Problem, Table, useLive, useQuery } from '../lib/ui.js';
import { send } from '../lib/api.js';
import { moment, words } from '../lib/format.js';

/** Why the controller did something. */
export default function Decisions() {
  const live = useLive(['decisions']);
  const [query, setQuery] = useQuery('q');
  const [kind, setKind] = useQuery('kind');
  const [application, setApplication] = useQuery('application');
  const [deployment, setDeployment] = useQuery('deployment');
  const [page, setPage] = useState({ decisions: /** @type {any[]} */ ([]), next: /** @type {number | null} */ (null), isLoaded: false, error: '' });
  const filters = new URLSearchParams(Object.entries({ q: query, kind, application, deployment }).filter(([, value]) => value)).toString();
  const topic = live?.topics.decisions;
  const newest = topic?.list()[0] ? topic.value(topic.list()[0], 'newest') : null;
  useEffect(() => {
    const abort = new AbortController();
    send(`/api/v1/decisions?limit=200&${filters}`, { signal: abort.signal }).then(
      (data) => setPage({ decisions: data.decisions, next: data.next_before, isLoaded: true, error: '' }),
      (failure) => !abort.signal.aborted && setPage((last) => ({ ...last, error: failure.message })));
    return () => abort.abort();
  }, [filters, newest]);
  const more = async () => {
    const data = await send(`/api/v1/decisions?limit=200&before=${page.next}&${filters}`);
    setPage((last) => ({ ...last, decisions: [...last.decisions, ...data.decisions], next: data.next_before }));
  };
  const kinds = ['start_replica', 'stop_replica', 'reconfigure_replica', 'publish_routes', 'scale', 'promote_revision', 'remove_application', 'change_desired_state'];
  return html`<div class="head"><h1>Decisions</h1><span class="spacer"></span><${LiveState} live=${live} /></div>
    <p class="muted">What the controller and the autoscaler did, and why, newest first.</p>
    <div class="row"><label><span class="hidden">Search</span><input type="search" placeholder="Search" value=${query} onChange=${(/** @type {any} */ event) => setQuery(event.target.value)} /></label>
      <label><span class="hidden">Kind</span><select value=${kind} onChange=${(/** @type {any} */ event) => setKind(event.target.value)}><option value="">All kinds</option>${kinds.map((name) => html`<option key=${name} value=${name}>${words(name)}</option>`)}</select></label>
      ${[[application, setApplication, 'application'], [deployment, setDeployment, 'deployment']].filter(([value]) => value).map(([value, set, name]) => html`<button key=${name} type="button" title="Remove this filter" onClick=${() => set('')}>${name}: ${value} ✕</button>`)}</div>
    ${page.error && html`<${Problem}>${page.error}<//>`}
    ${page.isLoaded && page.decisions.length === 0 ? html`<${Empty} title=${filters ? 'No decision matches' : 'No decision yet'}>${filters ? '' : 'Deploy or scale an application: each action of the controller appears here with its reason.'}<//>`
      : html`<${Table} label="Decisions" rows=${page.decisions} keyOf=${(/** @type {any} */ row) => row.sequence} sort="-sequence" columns=${[
        { name: 'sequence', title: '#', end: true }, { name: 'time_s', title: 'Time', cell: (/** @type {any} */ row) => moment(row.time_s) },
        { name: 'kind', title: 'Decision', cell: (/** @type {any} */ row) => html`<span class="pill plain">${words(row.kind)}</span>` },
        { name: 'where', title: 'Where', value: (/** @type {any} */ row) => [row.application, row.deployment].filter(Boolean).join(' / '), cell: (/** @type {any} */ row) => row.application && html`<a href=${`/applications/${[row.application, row.deployment].filter(Boolean).map(encodeURIComponent).join('/')}`}>${[row.application, row.deployment].filter(Boolean).join(' / ')}</a>` },
        { name: 'replica', title: 'Replica', cell: (/** @type {any} */ row) => row.replica && html`<code>${String(row.replica).split('#').at(-1)}</code>` },
        { name: 'reason', title: 'Reason', cell: (/** @type {any} */ row) => html`<span title=${row.reason}>${row.reason}</span>` },
        { name: 'detail', title: 'Detail', cell: (/** @type {any} */ row) => html`<span class="muted" title=${row.detail ?? ''}>${row.detail}</span>` },
      ]} />`}
    ${page.next != null && html`<div><button type="button" onClick=${more}>Show older</button></div>`}`;
}
