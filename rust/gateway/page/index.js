// The list of models.

import { ask, askToken, find, finder, Gone, make, notice } from './client.js';

const AGAIN = 5000;

function versions(model) {
  const total = model.versions.reduce((sum, version) => sum + version.weight, 0);
  if (model.versions.length === 1) return `version ${model.versions[0].version}`;
  const share = (version) => `${version.version} (${Math.round((100 * version.weight) / total)} %)`;
  return `versions ${model.versions.map(share).join(', ')}`;
}

function entry(model) {
  const digest = model.versions[0] ? model.versions[0].digest.slice(0, 12) : '';
  return make('li', {}, make(
    'a',
    { href: `/models/${encodeURIComponent(model.name)}` },
    make('span', { class: 'name' }, model.name),
    make('code', { class: 'digest', title: 'the first digits of the digest of the artifact' }, digest),
    make('span', { class: 'versions' }, versions(model)),
  ));
}

async function show() {
  try {
    const { models } = await ask('/v1/models');
    const items = models.map(entry);
    find('models').replaceChildren(...items);
    finder(items, (item) => item.querySelector('.name').textContent, 12);
    find('lead').textContent = {
      0: 'No model is served. Start the server with an artifact, or name one in routes.json.',
      1: 'One model is served. Choose it to try it.',
    }[models.length] || `${models.length} models are served. Choose one to try it.`;
    askToken(null);
    notice('');
    const status = await ask('/v1/status').catch(() => null);
    const error = status && status.last_load && status.last_load.error;
    if (error) notice(`The folder has changed, but could not be loaded; what was served before still is. ${error}`);
  } catch (error) {
    find('lead').textContent = '';
    notice(askToken(error, show) ? 'This server wants a token.' : error.message);
    if (error instanceof Gone) setTimeout(show, AGAIN);
  }
}

show();
