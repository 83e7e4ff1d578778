// The inputs of a model as a form, from its OpenAPI document; the server alone judges what is sent.

import { count, figure, make } from './client.js';

/** Lists longer than this are searched by typing instead of being opened. */
const MOST_OPTIONS = 60;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** What the document says of an input, in one place. */
function describe(name, schema, required) {
  const main = schema.anyOf ? { ...schema, ...schema.anyOf[0] } : schema;
  const levels = (main.enum || (main['x-penstock-type'] === 'text' ? schema.examples : null) || [])
    .filter((level) => level !== null);
  return {
    name,
    type: main['x-penstock-type'],
    isRequired: required.has(name),
    levels,
    isClosed: Boolean(main.enum),
    range: main['x-penstock-range'] || [null, null],
    seen: main['x-penstock-seen'],
    pattern: main.pattern,
    note: schema.description || '',
  };
}

/** The inputs of a row, in the order of the schema; those that are never read are left out. */
export function describeAll(row) {
  const required = new Set(row.required);
  return row['x-penstock-inputs']
    .map((name) => describe(name, row.properties[name], required))
    .filter((input) => input.type !== 'ignored');
}

/** A field of the form. `literal()` is its value as JSON, `set` takes a value of an example. */
export class Field {
  constructor(input, at, changed) {
    this.input = input;
    this.id = `input-${at}`;
    this.control = this.#control();
    this.control.id = this.id;
    this.say = make('p', { class: 'say', id: `${this.id}-say` });
    const hint = hintOf(input);
    const parts = [
      make('label', { for: this.id }, input.name, input.isRequired ? make('span', { class: 'quiet' }, ' (required)') : ''),
      this.control,
    ];
    this.slider = this.#slider(changed);
    if (this.slider) parts.push(this.slider);
    if (this.list) parts.push(this.list);
    if (hint) parts.push(make('p', { class: 'hint', id: `${this.id}-hint` }, hint));
    parts.push(this.say);
    this.control.setAttribute('aria-describedby', `${hint ? `${this.id}-hint ` : ''}${this.id}-say`);
    if (input.isRequired) this.control.setAttribute('aria-required', 'true');
    this.element = make('div', { class: 'field' }, ...parts);
    this.control.addEventListener('input', () => {
      this.#follow();
      changed(this);
    });
  }

  #control() {
    const { type, levels, isClosed } = this.input;
    const plain = { type: 'text', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off', placeholder: this.input.isRequired ? '' : 'missing' };
    if (type === 'boolean') return this.#choice(['true', 'false']);
    if (isClosed && levels.length <= MOST_OPTIONS) return this.#choice(levels.map(String));
    if (type === 'timestamp') return make('input', { type: 'datetime-local', step: 'any' });
    if (type === 'number') {
      return make('input', { ...plain, class: 'number', inputmode: 'decimal' });
    }
    if (!levels.length) return make('input', plain);
    this.list = make('datalist', { id: `${this.id}-levels` }, ...levels.map((level) => make('option', { value: level })));
    return make('input', { ...plain, list: this.list.id });
  }

  #choice(values) {
    // Positions, because a level may be the empty text.
    this.choices = values;
    return make(
      'select',
      {},
      make('option', { value: '' }, this.input.isRequired ? 'choose' : 'missing'),
      ...values.map((value, at) => make('option', { value: at }, value === '' ? '(empty text)' : value)),
    );
  }

  /** For numbers whose range is known: the same value, by pointer; the text beside it serves the keyboard. */
  #slider(changed) {
    const [low, high] = rangeOf(this.input);
    if (this.input.type !== 'number' || this.choices || !(low < high)) return null;
    const isWhole = Number.isInteger(low) && Number.isInteger(high) && high - low > 1;
    const step = 10 ** Math.floor(Math.log10((high - low) / 100));
    const slider = make('input', { type: 'range', min: low, max: high, step: isWhole ? 1 : 'any', tabindex: '-1', 'aria-hidden': 'true' });
    slider.addEventListener('input', () => {
      const digits = slider.step === '1' ? 0 : Math.max(0, -Math.round(Math.log10(step)));
      this.control.value = String(Number(Number(slider.value).toFixed(Math.min(digits, 20))));
      this.element.classList.remove('empty');
      changed(this);
    });
    return slider;
  }

  #follow() {
    const text = this.control.value.trim();
    this.element.classList.toggle('empty', text === '');
    if (!this.slider || !NUMBER.test(text)) return;
    if (!Number.isInteger(Number(text))) this.slider.step = 'any';
    this.slider.value = text;
  }

  /** The value as JSON. Numbers stay the digits that were typed; what is no number goes as text, to be refused. */
  literal() {
    const text = this.control.value;
    const { type } = this.input;
    if (this.choices) {
      if (text === '') return 'null';
      const chosen = this.choices[Number(text)];
      return type === 'text' ? JSON.stringify(chosen) : chosen;
    }
    if (text.trim() === '') return 'null';
    if (type === 'number') return NUMBER.test(text.trim()) ? text.trim() : JSON.stringify(text.trim());
    if (type === 'timestamp') return JSON.stringify(`${text}Z`);
    return JSON.stringify(text);
  }

  set(value) {
    this.refuse('');
    this.control.value = this.#shown(value);
    this.#follow();
  }

  #shown(value) {
    if (value === null || value === undefined) return '';
    if (this.choices) {
      const text = this.input.type === 'boolean' ? String(Boolean(value)) : String(value);
      const at = this.choices.indexOf(text);
      return at < 0 ? '' : String(at);
    }
    if (this.input.type !== 'timestamp') return String(value);
    const time = new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(value) ? value : `${value.length > 10 ? value : `${value}T00:00`}Z`);
    return Number.isNaN(time.getTime()) ? '' : time.toISOString().replace(/(\.000)?Z$/, '');
  }

  /** Says beside the field why its value was refused, or nothing. */
  refuse(text) {
    this.element.classList.toggle('wrong', Boolean(text));
    if (text) this.control.setAttribute('aria-invalid', 'true');
    else this.control.removeAttribute('aria-invalid');
    this.say.textContent = text;
  }

  /** Says beside the field what the model made of its value. */
  warn(text) {
    this.say.textContent = text;
  }
}

/** From where to where the slider goes: the declared range, or else what was seen in training. */
function rangeOf({ range, seen }) {
  const [low, high] = seen || [];
  return [range[0] ?? low, range[1] ?? high];
}

function hintOf(input) {
  if (input.type === 'timestamp') return 'UTC';
  if (input.type === 'number') {
    const [minimum, maximum] = input.range;
    const beyond = /what is outside (becomes missing|is clipped)/.exec(input.note);
    const what = beyond ? `; what is outside ${beyond[1]}` : '';
    if (minimum !== null && maximum !== null) return `${figure(minimum)} to ${figure(maximum)}${what}`;
    if (minimum !== null) return `from ${figure(minimum)}${what}`;
    if (maximum !== null) return `up to ${figure(maximum)}${what}`;
    return input.seen ? `${figure(input.seen[0])} to ${figure(input.seen[1])} in training` : '';
  }
  if (input.pattern) return `pattern ${input.pattern.replace(/^\^\(\?:(.*)\)\$$/, '$1')}`;
  if (input.levels.length > MOST_OPTIONS) return `${count(input.levels.length)} known levels; type to search`;
  return '';
}
