// Asks the server and makes elements; every text of a model goes in as text.

/** An element with attributes and children; texts become text nodes. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const find = (id) => document.getElementById(id);

/** A refusal in the words of the server. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.error || `the server answered ${status}`);
    Object.assign(this, { status, code: problem.code, field: problem.field });
  }
}

/** The server did not answer at all. */
export class Gone extends Error {}

const TOKEN = 'penstock-token';
export const token = () => sessionStorage.getItem(TOKEN) || '';

/** The JSON at a path; `Refused` or `Gone` where there is none. */
export async function ask(path, options = {}) {
  const headers = { Accept: 'application/json, application/problem+json', ...options.headers };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  let response;
  let text;
  try {
    response = await fetch(path, { ...options, headers, cache: 'no-store' });
    text = await response.text();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Gone('The server does not answer.');
  }
  let value = text;
  if ((response.headers.get('Content-Type') || '').includes('json')) {
    try {
      value = JSON.parse(text);
    } catch {
      throw new Refused(response.status, { detail: 'the server answered something that is not JSON' });
    }
  }
  if (!response.ok) throw new Refused(response.status, Object(value));
  return value;
}

/** Shows a notice, or none. */
export function notice(text) {
  const place = find('notice');
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

/** Asks for a token if that is why a request was refused; calls `retry` when there is one. */
export function askToken(error, retry) {
  const form = find('access');
  const wanted = error instanceof Refused && error.status === 401;
  form.hidden = !wanted;
  if (!wanted || form.childElementCount) return wanted;
  const input = make('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false' });
  form.append(
    make('label', { for: 'token' }, 'Access token'),
    input,
    make('button', { type: 'submit' }, 'Use this token'),
    make('p', { class: 'quiet' }, 'Kept until this tab is closed.'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, input.value.trim());
    retry();
  });
  return true;
}

/** A number for people: some digits, and more only where they are whole. */
export function figure(value, digits = 6) {
  if (typeof value !== 'number') return value === null ? 'missing' : String(value);
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(digits)));
}

/** How many there are. */
export const count = (value) => value.toLocaleString('en');

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** A list with a search field above it that hides what does not match. */
export function finder(items, textOf, most, told = () => {}) {
  const field = find('find');
  find('finder').hidden = items.length <= most;
  const apply = () => {
    const wanted = field.value.trim().toLowerCase();
    const shown = items.filter((item) => {
      item.hidden = !textOf(item).toLowerCase().includes(wanted);
      return !item.hidden;
    });
    told(wanted ? `${shown.length} of ${items.length}` : '');
  };
  field.oninput = apply;
  field.value = '';
  apply();
}
