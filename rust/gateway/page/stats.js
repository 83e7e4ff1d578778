// Counts and latencies of a model, from the metrics of the server; nothing is shown where there are none.

import { ask, count, find, make } from './client.js';

const EVERY = 2000;
const LINE = /^([a-zA-Z_:][\w:]*)\{(.*)\} (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

const plain = (text) => text.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter));

/** The samples of a model: name, labels, value. */
export function samples(text, model) {
  const found = [];
  for (const line of text.split('\n')) {
    const parts = LINE.exec(line);
    if (!parts) continue;
    const labels = {};
    for (const [, name, value] of parts[2].matchAll(LABEL)) labels[name] = plain(value);
    // Shadows answer nobody.
    const isOurs = (labels.route ?? labels.model) === model && labels.role !== 'shadow';
    if (isOurs) found.push({ name: parts[1], labels, value: Number(parts[3]) });
  }
  return found;
}

const sum = (found, name) => {
  const fitting = found.filter((sample) => sample.name === name);
  return fitting.length ? fitting.reduce((total, sample) => total + sample.value, 0) : null;
};

/** Upper bounds and cumulative counts of the durations, over all versions. */
export function buckets(found) {
  const counts = new Map();
  for (const sample of found) {
    if (sample.name !== 'penstock_request_duration_seconds_bucket') continue;
    const bound = sample.labels.le === '+Inf' ? Infinity : Number(sample.labels.le);
    counts.set(bound, (counts.get(bound) || 0) + sample.value);
  }
  return [...counts].sort((one, other) => one[0] - other[0]);
}

/** The duration that this share of requests stays below, interpolated within its bucket. */
export function quantile(bounds, share) {
  const total = bounds.length ? bounds[bounds.length - 1][1] : 0;
  if (!total) return null;
  let [low, before] = [0, 0];
  for (const [bound, count] of bounds) {
    if (count >= share * total) {
      if (bound === Infinity) return low;
      return low + ((bound - low) * (share * total - before)) / Math.max(count - before, 1);
    }
    [low, before] = [bound, count];
  }
  return low;
}

const duration = (seconds) => {
  if (seconds === null) return '–';
  const micros = seconds * 1e6;
  if (micros < 1000) return `${micros.toFixed(0)} µs`;
  return micros < 1e6 ? `${Number((micros / 1e3).toPrecision(3))} ms` : `${Number(seconds.toPrecision(3))} s`;
};

/** Names and values to show. */
export function summary(found) {
  const bounds = buckets(found);
  const requests = sum(found, 'penstock_requests_total') ?? (bounds.length ? bounds[bounds.length - 1][1] : null);
  const entries = [
    ['Requests', requests],
    ['Rows', sum(found, 'penstock_rows_total')],
    ['Errors', sum(found, 'penstock_errors_total')],
  ];
  const shown = entries.filter(([, value]) => value !== null).map(([name, value]) => [name, count(value)]);
  if (bounds.length) {
    for (const share of [50, 95, 99]) shown.push([`p${share}`, duration(quantile(bounds, share / 100))]);
  }
  return shown;
}

/** Shows them, and looks again while the page is seen. */
export function follow(model) {
  const look = async () => {
    if (!document.hidden) {
      try {
        const text = await ask('/metrics', { headers: { Accept: 'text/plain' } });
        const shown = summary(samples(String(text), model));
        find('live').hidden = !shown.length;
        const rows = shown.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)));
        find('stats').replaceChildren(...rows);
      } catch (error) {
        find('live').hidden = true;
        // There are no metrics here, or not for us: asking again would not change that.
        if (error.status) return;
      }
    }
    setTimeout(look, EVERY);
  };
  look();
}
