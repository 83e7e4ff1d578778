// One model: its form, its answer while one types, and the request to copy.

import * as answers from './answer.js';
import { ask, askToken, find, finder, Gone, make, notice, token } from './client.js';
import { describeAll, Field } from './form.js';
import { follow } from './stats.js';

const PAUSE = 150;
const SPOKEN = 900;
const AGAIN = 3000;
const REASONS = 5;
const MOST_UNSEARCHED = 24;

const name = decodeURIComponent(location.pathname.split('/').pop());
const path = `/v1/models/${encodeURIComponent(name)}`;
const state = { fields: [], examples: [], example: 0, outputs: [], explains: false, version: null, turn: 0 };

function later(milliseconds, work) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds);
  };
}

/** What the query of a request says; `version` only where there are several. */
function query() {
  const asked = new URLSearchParams();
  if (state.explains) asked.set('explain', REASONS);
  asked.set('warnings', 'true');
  if (state.version) asked.set('version', state.version);
  return asked;
}

function body(indent = '') {
  const entries = state.fields.map((field) => `${JSON.stringify(field.input.name)}: ${field.literal()}`);
  return indent ? `{\n${indent}${entries.join(`,\n${indent}`)}\n}` : `{${entries.join(', ')}}`;
}

const predictSoon = later(PAUSE, predict);
const speakSoon = later(SPOKEN, () => {
  find('spoken').textContent = state.spoken;
});

async function predict() {
  const turn = ++state.turn;
  state.request?.abort();
  state.request = new AbortController();
  const options = {
    method: 'POST',
    body: body(),
    headers: { 'Content-Type': 'application/json' },
    signal: state.request.signal,
  };
  try {
    const answer = await ask(`${path}/predict?${query()}`, options);
    if (turn === state.turn) show(answer);
  } catch (error) {
    // An answer to what was typed before says nothing about what stands there now.
    if (turn === state.turn && error.name !== 'AbortError') refuse(error);
  }
}

function show(answer) {
  notice('');
  askToken(null);
  find('answer').classList.remove('stale');
  find('refusal').hidden = true;
  const warned = Map.groupBy(answer.warnings || [], (warning) => warning.field);
  for (const field of state.fields) {
    field.refuse('');
    const warnings = warned.get(field.input.name) || [];
    field.warn(warnings.map(answers.warning).join('. '));
  }
  const label = state.outputs.find((output) => output.kind === 'label');
  find('outputs').replaceChildren(...answers.outputs(state.outputs, answer));
  find('reasons').replaceChildren(...answers.reasons(answer.explanation, label && answer[label.name]));
  const [main, beside] = answers.headline(state.outputs, answer);
  find('headline').replaceChildren(make('b', {}, main), make('span', {}, beside));
  find('headline').hidden = false;
  state.spoken = `Prediction: ${main} ${beside}`;
  speakSoon();
}

function refuse(error) {
  find('answer').classList.add('stale');
  if (error instanceof Gone) {
    notice('The server does not answer. Trying again …');
    setTimeout(() => find('notice').hidden || predict(), AGAIN);
    return;
  }
  notice('');
  if (askToken(error, start)) return;
  for (const field of state.fields) field.refuse(field.input.name === error.field ? error.message : '');
  const known = state.fields.some((field) => field.input.name === error.field);
  const before = find('outputs').childElementCount ? ' Below is the one before.' : '';
  find('refusal').textContent = known ? `No prediction: ${error.field} was refused.${before}` : error.message;
  find('refusal').hidden = false;
  find('headline').replaceChildren(make('b', {}, 'No prediction'), make('span', {}, error.field || ''));
  state.spoken = error.message;
  speakSoon();
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function showRequests() {
  const asked = new URLSearchParams(state.version ? { version: state.version } : {});
  if (state.explains) asked.set('explain', REASONS);
  const url = `${location.origin}${path}/predict${asked.size ? `?${asked}` : ''}`;
  const bearer = token() ? ` \\\n  -H "Authorization: Bearer $PENSTOCK_TOKEN"` : '';
  find('curl').textContent =
    `curl ${quoted(url)} \\\n  -H 'Content-Type: application/json'${bearer} \\\n  --data-raw ${quoted(body('  '))}`;
  const python = { true: 'True', false: 'False', null: 'None' };
  const entries = state.fields.map((field) => {
    const literal = field.literal();
    return `    ${JSON.stringify(field.input.name)}: ${python[literal] || literal},`;
  });
  const header = token() ? `, "Authorization": f"Bearer {os.environ['PENSTOCK_TOKEN']}"` : '';
  find('python').textContent = `import json${token() ? ', os' : ''}
from urllib.request import Request, urlopen

row = {
${entries.join('\n')}
}
request = Request(
    ${JSON.stringify(url)},
    data=json.dumps(row).encode(),
    headers={"Content-Type": "application/json"${header}},
)
with urlopen(request) as response:
    print(json.load(response))`;
}

function changed() {
  showRequests();
  predictSoon();
}

function fill(row) {
  for (const field of state.fields) field.set(row[field.input.name]);
  changed();
}

/** Builds the page for a version from its document. */
function build(document_) {
  const { Row, Prediction } = document_.components.schemas;
  const { parameters } = document_.paths[Object.keys(document_.paths).find((key) => key.endsWith('/predict'))].post;
  state.explains = parameters.some((parameter) => parameter.name === 'explain');
  state.outputs = Prediction['x-penstock-outputs'];
  state.examples = Row.examples || [];
  state.example = 0;
  state.fields = describeAll(Row).map((input, at) => new Field(input, at, changed));
  const elements = state.fields.map((field) => field.element);
  find('form').replaceChildren(...elements);
  if (!elements.length) find('form').append(make('p', { class: 'quiet' }, 'This model takes no inputs.'));
  finder(elements, (element) => element.querySelector('label').textContent, MOST_UNSEARCHED, (text) => {
    find('found').textContent = text;
  });
  find('example').hidden = !state.examples.length;
  find('example').textContent = state.examples.length > 1 ? 'Another example' : 'Example';
  find('work').hidden = false;
  fill(state.examples[0] || {});
}

async function choose(version) {
  state.version = version;
  const asked = version ? `?${new URLSearchParams({ version })}` : '';
  find('document').href = `${path}/openapi.json${asked}`;
  build(await ask(`${path}/openapi.json${asked}`));
}

function facts(model) {
  const list = [...model.versions].sort((one, other) => other.weight - one.weight);
  const parts = [];
  if (list.length > 1) {
    const options = list.map((version) => make('option', { value: version.version }, version.version));
    const select = make('select', { id: 'version' }, ...options);
    select.addEventListener('change', () => choose(select.value).catch(fail));
    parts.push(make('span', { class: 'bar' }, make('label', { for: 'version' }, 'Version'), make('span', {}, select)));
  } else {
    parts.push(make('span', {}, `Version ${list[0].version}`));
  }
  parts.push(make('span', {}, 'digest ', make('code', { title: list[0].digest }, list[0].digest.slice(0, 12))));
  parts.push(make('a', { href: path }, 'Schema and card'));
  find('facts').replaceChildren(...parts);
  return list.length > 1 ? list[0].version : null;
}

function fail(error) {
  notice(askToken(error, start) ? 'This model wants a token.' : error.message);
  if (error instanceof Gone) setTimeout(start, AGAIN);
}

async function start() {
  try {
    const { models } = await ask('/v1/models');
    const model = models.find((served) => served.name === name) || (await ask(path));
    notice('');
    askToken(null);
    await choose(facts(model));
    if (!state.isFollowed) follow(name);
    state.isFollowed = true;
  } catch (error) {
    fail(error);
  }
}

function copies(button, source) {
  find(button).addEventListener('click', async () => {
    const text = find(source).textContent;
    try {
      await navigator.clipboard.writeText(text);
      find(button).textContent = 'Copied';
    } catch {
      // Without HTTPS there is no clipboard: what is to be copied is marked instead.
      getSelection().selectAllChildren(find(source));
      find(button).textContent = 'Marked';
    }
    find('spoken').textContent = find(button).textContent;
    setTimeout(() => {
      find(button).textContent = 'Copy';
    }, 2000);
  });
}

find('name').textContent = name;
document.title = `${name} · Penstock`;
find('form').addEventListener('submit', (event) => {
  event.preventDefault();
  predict();
});
find('example').addEventListener('click', () => {
  state.example = (state.example + 1) % state.examples.length;
  fill(state.examples[state.example]);
});
find('clear').addEventListener('click', () => fill({}));
copies('copy-curl', 'curl');
copies('copy-python', 'python');
start();
