// @ts-check
import { html, useEffect, useRef, useState } from '../vendor/preact-htm.js';
import { Empty, Problem, useFetch } from '../lib/ui.js';
import { duration } from '../lib/format.js';

const ROW = 18;

/** Executions of the last tasks as bars, one row for each thread or worker. */
export default function Timeline() {
  const { data, error, reload } = useFetch('/api/v0/timeline?limit=2000');
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [picked, setPicked] = useState(/** @type {any} */ (null));
  const events = (data?.traceEvents ?? []).filter((/** @type {any} */ event) => event.ph === 'X');
  const names = new Map((data?.traceEvents ?? []).filter((/** @type {any} */ event) => event.ph === 'M' && event.args?.name).map((/** @type {any} */ event) => [`${event.name === 'process_name' ? event.pid : `${event.pid}/${event.tid}`}`, event.args.name]));
  const lanes = [...new Set(events.map((/** @type {any} */ event) => `${event.pid}/${event.tid}`))].sort();
  const start = Math.min(...events.map((/** @type {any} */ event) => event.ts));
  const end = Math.max(...events.map((/** @type {any} */ event) => event.ts + event.dur));
  useEffect(() => {
    const element = canvas.current;
    if (!element || events.length === 0)
      return undefined;
    const draw = () => {
      const ratio = devicePixelRatio;
      const width = element.clientWidth;
      const height = lanes.length * ROW + 8;
      element.style.height = `${height}px`;
      [element.width, element.height] = [width * ratio, height * ratio];
      const style = getComputedStyle(element);
      const context = /** @type {CanvasRenderingContext2D} */ (element.getContext('2d'));
      context.scale(ratio, ratio);
      for (const event of events) {
        const x = ((event.ts - start) / (end - start || 1)) * width;
        context.fillStyle = colour(event.name);
        context.fillRect(x, 4 + lanes.indexOf(`${event.pid}/${event.tid}`) * ROW, Math.max(1, (event.dur / (end - start || 1)) * width), ROW - 4);
      }
      context.strokeStyle = style.color;
    };
    draw();
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    return () => observer.disconnect();
  }, [data]);
  const pick = (/** @type {MouseEvent} */ mouse) => {
    const box = /** @type {HTMLElement} */ (mouse.currentTarget).getBoundingClientRect();
    const time = start + ((mouse.clientX - box.left) / box.width) * (end - start);
    const lane = lanes[Math.floor((mouse.clientY - box.top - 4) / ROW)];
    setPicked(events.find((/** @type {any} */ event) => `${event.pid}/${event.tid}` === lane && event.ts <= time && time <= event.ts + event.dur) ?? null);
  };
  return html`<div class="head"><h1>Timeline</h1><span class="spacer"></span><button type="button" onClick=${reload}>Refresh</button><a class="button" href="/api/v0/timeline" download="timeline.json">Download</a></div>
    <p class="muted">The last ${events.length} executions of tasks and actor calls. The download opens in <a href="https://ui.perfetto.dev" target="_blank" rel="noopener noreferrer">Perfetto</a> and chrome://tracing.</p>
    ${error && html`<${Problem}>${error.message}<//>`}
    ${data && events.length === 0 ? html`<${Empty} title="No task has run yet" />` : html`<div class="card pad"><div class="row muted num"><span>${lanes.length} rows: ${lanes.slice(0, 3).map((lane) => names.get(lane) ?? names.get(lane.split('/')[0]) ?? lane).join(', ')}${lanes.length > 3 ? ' …' : ''}</span><span class="spacer"></span><span>${duration((end - start) / 1000)} in all</span></div>
      <canvas class="gantt" ref=${canvas} role="img" aria-label="Executions over time; the lists of tasks contain the same" onMouseMove=${pick}></canvas>
      <p class="mono" role="status">${picked ? `${picked.name}  ${duration(picked.dur / 1000)}  ${names.get(`${picked.pid}/${picked.tid}`) ?? ''}` : 'Point at a bar.'}</p></div>`}`;
}

/** @param {string} name */
function colour(name) {
  let hash = 0;
  for (const letter of name)
    hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return `hsl(${hash % 360} 55% 55%)`;
}
