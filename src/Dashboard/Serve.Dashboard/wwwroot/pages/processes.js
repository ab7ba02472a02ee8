// @ts-check
import { html } from '../vendor/preact-htm.js';
import { Empty, LiveState, Problem, Spark, Stat, Status, Table, useLive, useQuery } from '../lib/ui.js';
import { age, cpu, number, rate, size } from '../lib/format.js';

/** Nodes, and below each node its processes. */
export default function Processes() {
  const live = useLive(['nodes', 'processes']);
  const [filter, setFilter] = useQuery('q');
  const { nodes, processes } = live?.topics ?? {};
  const matches = (/** @type {any} */ row) => !filter || JSON.stringify([row.key, row.info]).toLowerCase().includes(filter.toLowerCase());
  return html`<div class="head"><h1>Processes</h1><span class="spacer"></span>
      <label><span class="hidden">Filter processes</span><input type="search" placeholder="Filter" value=${filter} onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} /></label><${LiveState} live=${live} /></div>
    ${live?.error && live.state === 'lost' && html`<${Problem}>${live.error}<//>`}
    ${nodes?.list().map((node) => {
      const value = (/** @type {string} */ column) => nodes.value(node, column);
      const own = processes?.list().filter((row) => row.info.node_id === node.info.node_id && matches(row)) ?? [];
      return html`<section class="section" key=${node.key} aria-label=${`Node ${node.info.node_id}`}>
        <div class="row"><h2>${node.info.node_id}</h2><${Status} status=${node.info.phase} /><span class="muted">${node.info.host} · ${node.info.os} · up ${age(node.info.start_time_s)}</span></div>
        <div class="grid">
          <${Stat} label="CPU of the machine" value=${html`${number(value('cpu'), 2)} <small>of ${node.info.cpus} cores</small>`} part=${value('cpu')} total=${node.info.cpus} />
          <${Stat} label="Memory of the machine" value=${html`${size(value('memory_used_mib'))} <small>of ${size(node.info.memory_total_mib)}</small>`} part=${value('memory_used_mib')} total=${node.info.memory_total_mib} />
          <${Stat} label="Disk" value=${html`${size(value('disk_used_mib'))} <small>of ${size(node.info.disk_total_mib)}</small>`} part=${value('disk_used_mib')} total=${node.info.disk_total_mib} />
          ${value('gpu') != null && html`<${Stat} label="GPU" value=${html`${number(value('gpu'))} % <small>${size(value('gpu_memory_used_mib'))}</small>`} part=${value('gpu')} total=${100} />`}
          <${Stat} label="Serve’s processes" value=${html`${number(value('processes'))} <small>${cpu(value('processes_cpu'))} CPU, ${size(value('processes_rss_mib'))}</small>`} />
          <${Stat} label="Disk read · written" value=${html`${rate(value('disk_read_kib_s'))} <small>· ${rate(value('disk_write_kib_s'))}</small>`} />
        </div>
        ${own.length ? ProcessTable(own, processes) : html`<${Empty} title=${filter ? 'No process matches the filter' : 'No processes yet'} />`}</section>`;
    })}
    ${nodes && nodes.rows.size === 0 && live?.state === 'live' && html`<${Empty} title="No node has reported yet" />`}`;
}

/** @param {any[]} rows @param {import('../lib/live.js').Topic} topic */
function ProcessTable(rows, topic) {
  const value = (/** @type {string} */ column) => (/** @type {any} */ row) => topic.value(row, column);
  const known = (/** @type {string} */ column) => rows.some((row) => topic.value(row, column) != null);
  const numeric = (/** @type {string} */ name, /** @type {string} */ title, /** @type {(value: any) => any} */ text) =>
    ({ name, title, end: true, hidden: !known(name), value: value(name), cell: (/** @type {any} */ row) => text(topic.value(row, name)) });
  return html`<${Table} label="Processes" rows=${rows} keyOf=${(/** @type {any} */ row) => row.n} sort="-cpu" rowClass=${(/** @type {any} */ row) => (row.info.state === 'exited' ? 'gone' : '')} columns=${[
    { name: 'pid', title: 'PID', value: (/** @type {any} */ row) => row.info.pid, cell: (/** @type {any} */ row) => html`<span class="num">${row.info.pid}</span>` },
    { name: 'name', title: 'Process', value: (/** @type {any} */ row) => row.info.label || row.info.name, cell: (/** @type {any} */ row) => html`<span title=${row.info.command ?? ''}>${row.info.label || row.info.name}</span><span class="sub">${row.info.kind}</span>` },
    { name: 'state', title: 'State', value: (/** @type {any} */ row) => row.info.state, cell: (/** @type {any} */ row) => html`<${Status} status=${row.info.state} title=${row.info.exit_reason} />` },
    { name: 'contents', title: 'Runs', value: (/** @type {any} */ row) => contents(row).length, cell: (/** @type {any} */ row) => (row.info.exit_reason ? html`<span title=${row.info.exit_reason}>${row.info.exit_reason}</span>` : contents(row).map((replica, i) => html`${i > 0 && ', '}<a href=${`/applications/${replica.split('#').map(encodeURIComponent).join('/')}`}>${replica}</a>`)) },
    numeric('cpu', 'CPU', cpu),
    { name: 'trend', title: 'Last minute', cell: (/** @type {any} */ row) => html`<${Spark} values=${topic.past(row, 'cpu')} max=${0.05} label=${`CPU of process ${row.info.pid} in the last minute`} />`, value: value('cpu') },
    numeric('rss_mib', 'Memory', size),
    numeric('shared_mib', 'Shared', size),
    numeric('gpu', 'GPU', (/** @type {any} */ percent) => `${number(percent)} %`),
    numeric('gpu_memory_mib', 'GPU memory', size),
    numeric('gc_heap_mib', 'GC heap', size),
    numeric('threads', 'Threads', number),
    numeric('open_files', 'Files', number),
    numeric('disk_read_kib_s', 'Read', rate),
    numeric('disk_write_kib_s', 'Written', rate),
    { name: 'age', title: 'Age', end: true, value: (/** @type {any} */ row) => -row.info.start_time_s, cell: (/** @type {any} */ row) => age(row.info.start_time_s) },
    { name: 'log', title: '', cell: (/** @type {any} */ row) => row.info.log && html`<a href=${`/logs?process=${row.info.pid}`}>Log</a>` },
  ]} />`;
}

/** @param {any} row @returns {string[]} */
function contents(row) {
  return [...(row.info.replicas ?? []), ...(row.info.actors ?? [])];
}
