// What the model answered: labels, probabilities as bars, numbers, and the reasons.

import { figure, make, percent } from './client.js';

/** Of more classes than this, the most probable ones are shown. */
const MOST_BARS = 12;

const isShare = (entries) => entries.every(([, value]) => typeof value === 'number' && value >= 0 && value <= 1);

/** The outputs as elements, in the order of the model. */
export function outputs(told, answer) {
  const label = told.find((output) => output.kind === 'label');
  const chosen = label ? String(answer[label.name]) : null;
  const many = told.filter((output) => output.kind !== 'numbers').length > 1;
  const parts = [];
  const plain = [];
  for (const output of told) {
    if (output.kind === 'label') {
      parts.push(titled(output.name, text(answer[output.name])));
    } else if (output.kind === 'numbers') {
      const entries = Object.entries(answer[output.name]);
      parts.push(isShare(entries) ? bars(output.name, entries, chosen) : list(output.name, entries));
    } else if (output.kind === 'features') {
      plain.push(...output.names.map((name) => [name, answer[name]]));
    } else if (!label && !many) {
      parts.push(titled(output.name, figure(answer[output.name])));
    } else {
      plain.push([output.name, answer[output.name]]);
    }
  }
  if (plain.length) parts.push(list('', plain));
  return parts;
}

function list(title, entries) {
  const rows = entries.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, figure(value))]);
  return make('div', { class: 'output' }, title ? make('h3', {}, title) : '', make('dl', { class: 'values' }, ...rows));
}

const titled = (name, value) =>
  make('div', { class: 'output' }, make('h3', {}, name), make('p', { class: 'label' }, value));

/** The answer in one line. */
export function headline(told, answer) {
  const label = told.find((output) => output.kind === 'label');
  if (!label) {
    const first = told.find((output) => output.kind === 'number');
    return first ? [figure(answer[first.name]), first.name] : ['answered', ''];
  }
  const chosen = answer[label.name];
  const shares = told.find((output) => output.kind === 'numbers' && isShare(Object.entries(answer[output.name])));
  const share = shares && answer[shares.name][String(chosen)];
  return [text(chosen), typeof share === 'number' ? percent(share) : ''];
}

const text = (label) => (label === null ? 'no label' : String(label));

function bars(name, entries, chosen) {
  const order = inOrder(entries);
  const shown = order.slice(0, MOST_BARS);
  const rows = shown.map(([key, value]) => {
    const fill = make('span', { class: 'fill' });
    fill.style.width = `${100 * value}%`;
    return make(
      'li',
      { class: key === chosen ? 'is' : '' },
      make('span', { class: 'name' }, key),
      make('span', { class: 'value' }, percent(value)),
      make('span', { class: 'track', 'aria-hidden': 'true' }, fill),
    );
  });
  const left = order.length - shown.length;
  return make(
    'div',
    { class: 'output' },
    make('h3', {}, name),
    make('ul', { class: 'bars' }, ...rows),
    left > 0 ? make('p', { class: 'quiet' }, `and ${left} more`) : '',
  );
}

function inOrder(entries) {
  if (entries.length <= MOST_BARS) return entries;
  return [...entries].sort((one, other) => other[1] - one[1]);
}

/** The reasons of the class that was chosen, or of the one score. */
export function reasons(explanation, label) {
  if (!explanation) return [];
  const list = explanation.reasons;
  const isByClass = !Array.isArray(list);
  const classes = isByClass ? Object.keys(list) : [];
  const about = classes.includes(String(label)) ? String(label) : classes[0];
  const found = isByClass ? list[about] || [] : list;
  const base = isByClass ? explanation.base[about] : explanation.base;
  if (!found.length) return [];
  const largest = Math.max(...found.map((reason) => Math.abs(reason.contribution)), 1e-300);
  const rows = found.map((reason) => {
    const share = (50 * Math.abs(reason.contribution)) / largest;
    const isUp = reason.contribution >= 0;
    const fill = make('span', { class: isUp ? 'fill up' : 'fill' });
    fill.style.left = `${isUp ? 50 : 50 - share}%`;
    fill.style.width = `${share}%`;
    return make(
      'li',
      {},
      make('span', { class: 'name' }, reason.input, make('span', { class: 'quiet' }, ` ${figure(reason.value)}`)),
      make('span', { class: 'value' }, `${isUp ? '+' : '−'}${figure(Math.abs(reason.contribution), 3)}`),
      make('span', { class: 'track', 'aria-hidden': 'true' }, fill),
    );
  });
  return [
    make('h3', {}, isByClass ? `Reasons for ${about}` : 'Reasons'),
    make('ul', { class: 'bars two' }, ...rows),
    make('p', { class: 'hint quiet' }, `What each input adds to the raw score; without any it is ${figure(base, 3)}.`),
  ];
}

const WARNINGS = {
  absent: 'was not sent',
  missing: 'counts as missing',
  invalid: 'is of another type and counts as missing',
  integer_too_large: 'is too large and counts as missing',
  out_of_range: 'is outside the range of the model and was changed',
  infinite: 'is infinite and was changed',
  pattern: 'does not match the pattern and counts as missing',
  unseen_level: 'was not seen in training',
};

/** A warning in words, for beside its field. */
export function warning({ code, value }) {
  return `${value === '' ? 'The value' : `“${value}”`} ${WARNINGS[code] || code}`;
}
