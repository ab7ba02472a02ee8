// @ts-check
import { html, useEffect, useMemo, useRef, useState } from '../vendor/preact-htm.js';
import { Empty, Problem, useFetch, useQuery } from '../lib/ui.js';
import { send } from '../lib/api.js';
import { clock } from '../lib/format.js';

const MAX_LINES = 5000;

/** Log lines of all processes as one stream. They are the text of others: shown as text only. */
export default function Logs() {
  const sources = useFetch('/api/v1/logs/sources', 10);
  const [query, setQuery] = useQuery('q');
  const [level, setLevel] = useQuery('level');
  const [application, setApplication] = useQuery('application');
  const [deployment, setDeployment] = useQuery('deployment');
  const [replica, setReplica] = useQuery('replica');
  const [process, setProcess] = useQuery('process');
  const [source, setSource] = useQuery('source');
  const [follow, setFollow] = useQuery('follow', 'yes');
  const [lines, setLines] = useState(/** @type {any[]} */ ([]));
  const [error, setError] = useState('');
  const [dropped, setDropped] = useState(0);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const filters = useMemo(() => new URLSearchParams(Object.entries({ q: query, level, application, deployment, replica, process, source }).filter(([, value]) => value)).toString(), [query, level, application, deployment, replica, process, source]);

  useEffect(() => {
    let isClosed = false;
    /** @type {EventSource | null} */
    let stream = null;
    setDropped(0);
    send(`/api/v1/logs?tail=500&${filters}`).then((page) => {
      if (isClosed)
        return;
      setLines(page.lines);
      setError('');
      if (follow !== 'yes')
        return;
      stream = new EventSource(`/api/v1/logs/stream?tail=0&${filters}`);
      stream.addEventListener('lines', (event) => {
        const more = JSON.parse(event.data).lines;
        setLines((known) => [...known, ...more].slice(-MAX_LINES));
      });
      stream.addEventListener('dropped', (event) => setDropped((count) => count + JSON.parse(event.data).lines));
    }, (failure) => !isClosed && setError(failure.message));
    return () => {
      isClosed = true;
      stream?.close();
    };
  }, [filters, follow]);
  useEffect(() => {
    if (follow === 'yes' && box.current)
      box.current.scrollTop = box.current.scrollHeight;
  }, [lines, follow]);

  const all = sources.data?.sources ?? [];
  const applications = [...new Set(all.map((/** @type {any} */ each) => each.application).filter(Boolean))].sort();
  const others = [[deployment, setDeployment, 'deployment'], [replica, setReplica, 'replica'], [process, setProcess, 'process']].filter(([value]) => value);
  return html`<div class="head"><h1>Logs</h1><span class="spacer"></span><span class="muted" role="status">${lines.length} lines${dropped > 0 ? `, ${dropped} more were too fast to show` : ''}</span></div>
    <div class="row">
      <label><span class="hidden">Search</span><input type="search" placeholder="Search" value=${query} onChange=${(/** @type {any} */ event) => setQuery(event.target.value)} /></label>
      <label><span class="hidden">Level</span><select value=${level} onChange=${(/** @type {any} */ event) => setLevel(event.target.value)}><option value="">All levels</option><option value="info">Information and worse</option><option value="warning">Warnings and worse</option><option value="error">Errors</option></select></label>
      <label><span class="hidden">Application</span><select value=${application} onChange=${(/** @type {any} */ event) => setApplication(event.target.value)}><option value="">All applications</option>${[...new Set([...applications, application])].filter(Boolean).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>
      <label><span class="hidden">Source</span><select value=${source} onChange=${(/** @type {any} */ event) => setSource(event.target.value)}><option value="">All sources</option>${[...new Set([...all.map((/** @type {any} */ each) => each.id), source])].filter(Boolean).map((id) => html`<option key=${id} value=${id}>${id}</option>`)}</select></label>
      ${others.map(([value, set, name]) => html`<button key=${name} type="button" onClick=${() => set('')} title="Remove this filter">${name}: ${value} ✕</button>`)}
      <span class="spacer"></span><button type="button" aria-pressed=${follow === 'yes'} onClick=${() => setFollow(follow === 'yes' ? 'no' : 'yes')}>${follow === 'yes' ? 'Following' : 'Follow'}</button></div>
    ${error && html`<${Problem}>${error}<//>`}
    ${lines.length === 0 && !error ? html`<${Empty} title="No line matches">Console output of deployments, their ILogger messages and those of the node appear here.<//>`
      : html`<div class="card log" tabindex="0" role="log" aria-label="Log lines" ref=${box} onScroll=${(/** @type {any} */ event) => follow === 'yes' && event.currentTarget.scrollTop + event.currentTarget.clientHeight < event.currentTarget.scrollHeight - 80 && setFollow('no')}>
        <ol>${lines.slice(-1500).map((line, i) => html`<li key=${i} class=${line.level ?? ''}><span>${clock(line.time)}</span><span title=${line.source}>${String(line.source).replace(/^replica:/, '')}</span><div class="text">${mark(line.text, query)}${line.cut && html`<em class="muted"> … (cut)</em>`}</div></li>`)}</ol></div>`}`;
}

/** @param {string} text @param {string} query */
function mark(text, query) {
  const at = query ? text.toLowerCase().indexOf(query.toLowerCase()) : -1;
  return at < 0 ? text : [text.slice(0, at), html`<mark>${text.slice(at, at + query.length)}</mark>`, text.slice(at + query.length)];
}
