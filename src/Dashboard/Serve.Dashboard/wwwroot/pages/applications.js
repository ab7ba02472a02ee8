// @ts-check
import { html } from '../vendor/preact-htm.js';
import { Action, Empty, LiveState, Problem, Spark, Stat, Status, Table, go, useFetch, useLive, useQuery } from '../lib/ui.js';
import { send } from '../lib/api.js';
import { age, duration, moment, number } from '../lib/format.js';

const enc = encodeURIComponent;

/** Applications, one application, one deployment, or one replica, by the path. @param {{ path: string[], session: any }} props */
export default function Applications({ path, session }) {
  const live = useLive(['applications', 'deployments', 'replicas']);
  if (!live)
    return null;
  const [application, deployment, replica] = path;
  const crumbs = html`<nav class="crumbs" aria-label="Path"><a href="/applications">Applications</a>${path.map((name, i) => html`<span aria-hidden="true">/</span><a href=${`/applications/${path.slice(0, i + 1).map(enc).join('/')}`} aria-current=${i === path.length - 1 ? 'page' : undefined}>${name}</a>`)}</nav>`;
  const body = replica ? Replica(live, application, deployment, replica) : deployment ? Deployment(live, application, deployment, session) : application ? html`<${Application} key=${application} live=${live} name=${application} session=${session} />` : List(live);
  return html`<div class="section">${path.length > 0 && crumbs}<div class="head"><h1>${replica ?? deployment ?? application ?? 'Applications'}</h1><span class="spacer"></span><${LiveState} live=${live} /></div></div>
    ${live.error && live.state === 'lost' && html`<${Problem}>${live.error}<//>`}${body}`;
}

/** Columns of load. @param {import('../lib/live.js').Topic} topic @param {string[]} names */
function load(topic, names) {
  const all = {
    rps: ['Requests/s', (/** @type {any} */ value) => number(value, 1)], p50_ms: ['p50', duration], p99_ms: ['p99', duration], queued: ['Queued', number], ongoing: ['Ongoing', number],
    errors_per_s: ['Errors/s', (/** @type {any} */ value) => number(value, 2)], batch_size: ['Batch', (/** @type {any} */ value) => number(value, 1)],
  };
  return names.map((name) => ({ name, title: all[name][0], end: true, hidden: name === 'batch_size' && !topic.list().some((row) => topic.value(row, name) != null), value: (/** @type {any} */ row) => topic.value(row, name), cell: (/** @type {any} */ row) => all[name][1](topic.value(row, name)) }));
}

/** @param {import('../lib/live.js').Topic} topic */
const trend = (topic) => ({ name: 'trend', title: 'Last minute', value: (/** @type {any} */ row) => topic.value(row, 'rps'), cell: (/** @type {any} */ row) => html`<${Spark} values=${topic.past(row, 'rps')} max=${1} label="Requests per second in the last minute" />` });

/** @param {import('../lib/live.js').Live} live */
function List(live) {
  const topic = live.topics.applications;
  const rows = topic.list();
  if (rows.length === 0)
    return live.state === 'live' && html`<${Empty} title="No application is deployed" command="serve deploy deployments/Counter.cs">Deploy one from another terminal; it appears here at once.<//>`;
  return html`<${Table} label="Applications" rows=${rows} keyOf=${(/** @type {any} */ row) => row.n} sort="name" columns=${[
    { name: 'name', title: 'Application', value: (/** @type {any} */ row) => row.key, cell: (/** @type {any} */ row) => html`<a href=${`/applications/${enc(row.key)}`}>${row.key}</a>${row.info.is_model && html`<span class="sub">model</span>`}` },
    { name: 'status', title: 'Status', value: (/** @type {any} */ row) => row.info.status, cell: (/** @type {any} */ row) => html`<${Status} status=${row.info.status} title=${row.info.message} />` },
    { name: 'route', title: 'Route', value: (/** @type {any} */ row) => row.info.route_prefix, cell: (/** @type {any} */ row) => html`<code>${row.info.route_prefix}</code>` },
    { name: 'replicas', title: 'Replicas', end: true, value: (/** @type {any} */ row) => topic.value(row, 'replicas_running'), cell: (/** @type {any} */ row) => `${number(topic.value(row, 'replicas_running'))} / ${number(topic.value(row, 'replicas_target'))}` },
    ...load(topic, ['rps']), trend(topic), ...load(topic, ['p50_ms', 'p99_ms', 'queued', 'ongoing', 'errors_per_s']),
    { name: 'deployed', title: 'Deployed', end: true, value: (/** @type {any} */ row) => row.info.last_deployed_s, cell: (/** @type {any} */ row) => html`<span title=${moment(row.info.last_deployed_s)}>${age(row.info.last_deployed_s)} ago</span>` },
    { name: 'message', title: 'Message', value: (/** @type {any} */ row) => row.info.message, cell: (/** @type {any} */ row) => html`<span title=${row.info.message}>${row.info.message}</span>` },
  ]} />`;
}

/** @param {import('../lib/live.js').Topic} topic @param {any} row */
function Figures(topic, row) {
  const value = (/** @type {string} */ name) => topic.value(row, name);
  const running = value('replicas_running');
  return html`<div class="grid">
    ${running != null && html`<${Stat} label="Replicas" value=${html`${number(running)} <small>of ${number(value('replicas_target'))}</small>`} />`}
    <${Stat} label="Requests/s" value=${number(value('rps'), 1)}><${Spark} values=${topic.past(row, 'rps')} max=${1} label="Requests per second in the last minute" /><//>
    <${Stat} label="Latency p50 · p99" value=${html`${duration(value('p50_ms'))} <small>· ${duration(value('p99_ms'))}</small>`}><${Spark} values=${topic.past(row, 'p99_ms')} label="p99 in the last minute" /><//>
    <${Stat} label="Ongoing${value('queued') != null ? ' · queued' : ''}" value=${html`${number(value('ongoing'))}${value('queued') != null && html` <small>· ${number(value('queued'))}</small>`}`}><${Spark} values=${topic.past(row, 'ongoing')} max=${1} label="Ongoing requests in the last minute" /><//>
    <${Stat} label="Errors/s" value=${number(value('errors_per_s'), 2)}><${Spark} values=${topic.past(row, 'errors_per_s')} max=${1} label="Errors per second in the last minute" /><//>
  </div>`;
}

/** @param {{ live: import('../lib/live.js').Live, name: string, session: any }} props */
function Application({ live, name, session }) {
  const [tab, setTab] = useQuery('tab', 'deployments');
  const details = useFetch(`/api/serve/applications/${enc(name)}`, 5);
  const revisions = useFetch(`/api/v1/applications/${enc(name)}/revisions`, tab === 'revisions' ? 5 : 0);
  const topic = live.topics.applications;
  const row = topic.find(name);
  if (!row)
    return live.state === 'live' && html`<${Empty} title=${`There is no application “${name}”`}>It may have been deleted. <a href="/applications">Show all applications</a>.<//>`;
  const deployments = live.topics.deployments.list().filter((each) => each.info.application === name);
  const tabs = [['deployments', 'Deployments'], ['revisions', 'Revisions'], ['config', 'Config']];
  return html`<div class="row"><${Status} status=${row.info.status} /><code>${row.info.route_prefix}</code><span class="muted">deployed ${moment(row.info.last_deployed_s)}</span><span class="spacer"></span>
      <a class="button" href=${`/logs?application=${enc(name)}`}>Logs</a>${row.info.docs_path && html`<a class="button" href=${`/console?path=${enc(row.info.route_prefix)}`}>Try it</a>`}
      ${session.can_change && html`<${Action} text="Redeploy" title=${`Redeploy ${name}?`} detail="Its source is built again. Replicas are replaced one after the other; no request is lost." act=${() => send(`/api/v1/applications/${enc(name)}/redeploy`, { method: 'POST' })} />
      <${Action} text="Delete" isDanger title=${`Delete ${name}?`} detail="Requests in progress are completed, then its replicas stop and its route is removed." act=${() => send(`/api/serve/applications/${enc(name)}`, { method: 'DELETE' })} done=${() => go('/applications')} />`}</div>
    ${row.info.message && html`<div class="notice ${row.info.status === 'RUNNING' ? '' : 'warn'}"><pre>${row.info.message}</pre></div>`}
    ${Figures(topic, row)}
    ${details.data?.canary && html`<div class="notice warn"><h2>Canary</h2><pre>${JSON.stringify(details.data.canary, null, 2)}</pre></div>`}
    <nav class="tabs" aria-label="Parts of the application">${tabs.map(([id, title]) => html`<a key=${id} href=${`?tab=${id}`} aria-current=${tab === id ? 'page' : undefined} onClick=${(/** @type {any} */ event) => { event.preventDefault(); setTab(id); }}>${title}</a>`)}</nav>
    ${tab === 'config' ? html`<div class="card pad"><pre>${JSON.stringify(details.data?.deployed_app_config ?? details.data, null, 2)}</pre></div>`
      : tab === 'revisions' ? Revisions(revisions, name, session) : Deployments(live, deployments)}`;
}

/** @param {{ data: any, error: Error | null, reload: () => void }} revisions @param {string} name @param {any} session */
function Revisions(revisions, name, session) {
  if (revisions.error)
    return html`<${Problem}>${revisions.error.message}<//>`;
  return html`<${Table} label="Revisions" rows=${revisions.data?.revisions ?? []} keyOf=${(/** @type {any} */ row) => row.revision} sort="-revision" columns=${[
    { name: 'revision', title: 'Revision', end: true }, { name: 'deployed_time_s', title: 'Deployed', cell: (/** @type {any} */ row) => moment(row.deployed_time_s) },
    { name: 'code_hash', title: 'Code', cell: (/** @type {any} */ row) => html`<code>${String(row.code_hash ?? '').slice(0, 12)}</code>` },
    { name: 'is_current', title: 'State', cell: (/** @type {any} */ row) => (row.is_current ? html`<${Status} status="current" />` : '') }, { name: 'note', title: 'Note' },
    { name: 'actions', title: '', cell: (/** @type {any} */ row) => session.can_change && !row.is_current && html`<${Action} text="Roll back" title=${`Roll back to revision ${row.revision}?`} detail="The revision is deployed again, as a new one." act=${() => send(`/api/v1/applications/${enc(name)}/rollback`, { method: 'POST', body: { revision: row.revision } })} done=${revisions.reload} />` },
  ]} />`;
}

/** @param {import('../lib/live.js').Live} live @param {any[]} rows */
function Deployments(live, rows) {
  const topic = live.topics.deployments;
  return html`<${Table} label="Deployments" rows=${rows} keyOf=${(/** @type {any} */ row) => row.n} sort="name" columns=${[
    { name: 'name', title: 'Deployment', value: (/** @type {any} */ row) => row.info.name, cell: (/** @type {any} */ row) => html`<a href=${`/applications/${enc(row.info.application)}/${enc(row.info.name)}`}>${row.info.name}</a>${row.info.is_ingress && html`<span class="sub">ingress</span>`}` },
    { name: 'status', title: 'Status', value: (/** @type {any} */ row) => row.info.status, cell: (/** @type {any} */ row) => html`<${Status} status=${row.info.status} title=${row.info.message} />` },
    { name: 'replicas', title: 'Replicas', end: true, value: (/** @type {any} */ row) => topic.value(row, 'replicas_running'), cell: (/** @type {any} */ row) => `${number(topic.value(row, 'replicas_running'))} / ${number(topic.value(row, 'replicas_target'))}` },
    ...load(topic, ['rps']), trend(topic), ...load(topic, ['p50_ms', 'p99_ms', 'queued', 'ongoing', 'errors_per_s', 'batch_size']),
    { name: 'reason', title: 'Reason', value: (/** @type {any} */ row) => row.info.autoscaling_reason || row.info.message, cell: (/** @type {any} */ row) => html`<span title=${row.info.autoscaling_reason || row.info.message}>${row.info.autoscaling_reason || row.info.message}</span>` },
  ]} />`;
}

/** @param {import('../lib/live.js').Live} live @param {string} application @param {string} name @param {any} session */
function Deployment(live, application, name, session) {
  const topic = live.topics.deployments;
  const row = topic.find(`${application}/${name}`);
  if (!row)
    return live.state === 'live' && html`<${Empty} title=${`There is no deployment “${name}”`}><a href=${`/applications/${enc(application)}`}>Show the application</a>.<//>`;
  const replicas = live.topics.replicas;
  const rows = replicas.list().filter((each) => each.info.application === application && each.info.deployment === name);
  return html`<div class="row"><${Status} status=${row.info.status} /><span class="muted">${row.info.is_autoscaled ? 'scales itself' : 'fixed number of replicas'}</span><span class="spacer"></span>
      <a class="button" href=${`/logs?application=${enc(application)}&deployment=${enc(name)}`}>Logs</a><a class="button" href=${`/decisions?application=${enc(application)}&deployment=${enc(name)}`}>Decisions</a>
      ${session.can_change && !row.info.is_autoscaled && html`<${Action} text="Scale" title=${`Scale ${name}`} fields=${html`<label>Replicas<input name="count" type="number" min="0" max="10000" required value=${topic.value(row, 'replicas_target') ?? 1} /></label>`}
        act=${(/** @type {FormData} */ form) => send(`/api/v1/applications/${enc(application)}/deployments/${enc(name)}/scale`, { method: 'POST', body: { target_num_replicas: Number(form.get('count')) } })} />`}</div>
    ${row.info.autoscaling_reason && html`<div class="notice"><strong>Last scaling decision.</strong> ${row.info.autoscaling_reason}</div>`}
    ${row.info.message && html`<div class="notice warn"><pre>${row.info.message}</pre></div>`}
    ${(row.info.notices ?? []).map((/** @type {string} */ notice) => html`<div class="notice warn">${notice}</div>`)}
    ${Figures(topic, row)}
    <div class="section"><h2>Replicas</h2>${rows.length === 0 ? html`<${Empty} title="No replica">${topic.value(row, 'replicas_target') === 0 ? 'The deployment is scaled to zero; the first request starts a replica.' : 'None has been started yet.'}<//>` : html`<${Table} label="Replicas" rows=${rows} keyOf=${(/** @type {any} */ each) => each.n} sort="-p99_ms" columns=${[
      { name: 'replica', title: 'Replica', value: (/** @type {any} */ each) => each.key, cell: (/** @type {any} */ each) => html`<a href=${`/applications/${each.key.split('#').map(enc).join('/')}`}>${each.key.split('#').at(-1)}</a>` },
      { name: 'state', title: 'State', value: (/** @type {any} */ each) => each.info.state, cell: (/** @type {any} */ each) => html`<${Status} status=${each.info.state} title=${each.info.message} />` },
      { name: 'rank', title: 'Rank', end: true, value: (/** @type {any} */ each) => each.info.rank },
      { name: 'pid', title: 'Process', end: true, value: (/** @type {any} */ each) => each.info.pid, cell: (/** @type {any} */ each) => html`<a href=${`/?q=${each.info.pid}`}>${each.info.pid}</a>` },
      ...load(replicas, ['rps']), trend(replicas), ...load(replicas, ['p50_ms', 'p99_ms', 'ongoing', 'errors_per_s', 'batch_size']),
      { name: 'age', title: 'Age', end: true, value: (/** @type {any} */ each) => -each.info.start_time_s, cell: (/** @type {any} */ each) => age(each.info.start_time_s) },
      { name: 'log', title: '', cell: (/** @type {any} */ each) => html`<a href=${`/logs?application=${enc(application)}&replica=${enc(each.key.split('#').at(-1))}`}>Log</a>` },
    ]} />`}</div>`;
}

/** @param {import('../lib/live.js').Live} live @param {string} application @param {string} deployment @param {string} suffix */
function Replica(live, application, deployment, suffix) {
  const topic = live.topics.replicas;
  const row = topic.find(`${application}#${deployment}#${suffix}`);
  if (!row)
    return live.state === 'live' && html`<${Empty} title="This replica has stopped">Its log is kept for a while: <a href=${`/logs?application=${enc(application)}&replica=${enc(suffix)}`}>show it</a>. Why it stopped is among the <a href=${`/decisions?q=${enc(suffix)}`}>decisions</a>.<//>`;
  return html`<div class="row"><${Status} status=${row.info.state} /><span class="spacer"></span><a class="button" href=${`/logs?application=${enc(application)}&replica=${enc(suffix)}`}>Log</a><a class="button" href=${`/decisions?q=${enc(suffix)}`}>Decisions</a></div>
    ${row.info.message && html`<div class="notice warn"><pre>${row.info.message}</pre></div>`}${Figures(topic, row)}
    <div class="card pad"><dl class="facts"><dt>Replica</dt><dd class="mono">${row.key}</dd><dt>Rank</dt><dd>${row.info.rank}</dd><dt>Process</dt><dd><a href=${`/?q=${row.info.pid}`}>${row.info.pid}</a></dd><dt>Node</dt><dd>${row.info.node_id}</dd><dt>Worker</dt><dd>${row.info.worker_id ?? 'the node’s own process'}</dd><dt>Started</dt><dd>${moment(row.info.start_time_s)}</dd></dl></div>`;
}
