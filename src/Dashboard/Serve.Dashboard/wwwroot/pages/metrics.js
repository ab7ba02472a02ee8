// @ts-check
import { html, useEffect, useRef, useState } from '../vendor/preact-htm.js';
import { Empty, Problem, useFetch, useQuery } from '../lib/ui.js';

const COLOURS = ['#5b6cf0', '#19a974', '#e0873a', '#c84b9b', '#3aa0c8', '#a0a338', '#8a6be0', '#d95555'];
const CHARTS = [
  { topic: 'nodes', column: 'cpu', title: 'CPU of the machine, cores' }, { topic: 'nodes', column: 'memory_used_mib', title: 'Memory of the machine, MiB' },
  { topic: 'deployments', column: 'rps', title: 'Requests per second' }, { topic: 'deployments', column: 'p99_ms', title: 'Latency p99, ms' },
  { topic: 'deployments', column: 'ongoing', title: 'Ongoing requests' }, { topic: 'deployments', column: 'queued', title: 'Queued requests' },
  { topic: 'deployments', column: 'replicas_running', title: 'Running replicas' }, { topic: 'deployments', column: 'errors_per_s', title: 'Errors per second' },
];

/** Charts of the last five minutes or two hours, from the node's own memory. @param {{ session: any }} props */
export default function Metrics({ session }) {
  const [range, setRange] = useQuery('range', '300');
  const isReady = usePlots();
  return html`<div class="head"><h1>Metrics</h1><span class="spacer"></span><label><span class="hidden">Range</span><select value=${range} onChange=${(/** @type {any} */ event) => setRange(event.target.value)}><option value="300">Last 5 minutes</option><option value="7200">Last 2 hours</option></select></label></div>
    <p class="muted">Kept by the node itself. Prometheus reads the same and more from <a href="/metrics" target="_blank">/metrics</a>.</p>
    ${isReady && html`<div class="charts">${CHARTS.filter((chart) => session.kind === 'node' || chart.topic === 'nodes').map((chart) => html`<${Chart} key=${chart.column} ...${chart} range=${range} />`)}</div>`}`;
}

/** Loads the chart library with the first chart. */
function usePlots() {
  const [isReady, setReady] = useState('uPlot' in globalThis);
  useEffect(() => {
    if (isReady)
      return;
    const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/vendor/uplot.css' });
    const script = Object.assign(document.createElement('script'), { src: '/vendor/uplot.js' });
    script.onload = () => setReady(true);
    document.head.append(style, script);
  }, []);
  return isReady;
}

/** @param {{ topic: string, column: string, title: string, range: string }} props */
function Chart({ topic, column, title, range }) {
  const { data, error } = useFetch(`/api/v1/series?topic=${topic}&columns=${column}&range=${range}`, range === '300' ? 2 : 10);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const series = data?.series ?? [];
  const names = series.map((/** @type {any} */ each) => each.key).join();
  useEffect(() => {
    if (!box.current || series.length === 0)
      return undefined;
    const style = getComputedStyle(document.documentElement);
    const text = getComputedStyle(box.current).color;
    const grid = { stroke: style.getPropertyValue('--grid') || '#8883', width: 1 };
    const axis = { stroke: text, grid, ticks: grid, font: '11px system-ui' };
    plot.current = new /** @type {any} */ (globalThis).uPlot({
      width: box.current.clientWidth, height: 200, cursor: { y: false }, scales: { y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => [Math.min(0, low ?? 0), (high || 1) * 1.1] } },
      axes: [axis, { ...axis, size: 54 }],
      series: [{}, ...series.map((/** @type {any} */ each, /** @type {number} */ i) => ({ label: each.key, stroke: COLOURS[i % COLOURS.length], width: 1.5, points: { show: false } }))],
    }, toData(data), box.current);
    const observer = new ResizeObserver(() => box.current && plot.current?.setSize({ width: box.current.clientWidth, height: 200 }));
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [names, range]);
  useEffect(() => {
    if (plot.current && data)
      plot.current.setData(toData(data));
  }, [data]);
  return html`<section class="card chart" aria-label=${title}><h2>${title}</h2>${error && html`<${Problem}>${error.message}<//>`}${data && series.length === 0 && html`<${Empty} title="No deployment yet" />`}<div ref=${box}></div></section>`;
}

/** @param {any} data */
function toData(data) {
  const count = data.series[0]?.values.length ?? 0;
  return [Array.from({ length: count }, (_, i) => data.end - (count - 1 - i) * data.step), ...data.series.map((/** @type {any} */ each) => each.values)];
}
