// Problems in plain words.

import { t } from './i18n.js';
import { texts } from './texts.js';

/// The reason that an answer of `request` (api.js) gives.
export function reasonOf(answer) {
  if (answer.expired) return t('problem.expired');
  if (answer.status === 0) return t('problem.network');
  const type = answer.problem?.type?.split('/').pop() ?? '';
  const key = `problem.${type}`;
  if (type !== 'other' && texts.en[key]) return t(key, { detail: detailOf(answer.problem) });
  if (answer.status >= 500) return t('problem.server');
  return t('problem.other', { title: answer.problem?.title ?? `HTTP ${answer.status}` });
}

function detailOf(problem) {
  const fields = (problem.errors ?? []).map((error) => `${error.field}: ${error.message}`);
  return fields.length > 0 ? fields.join('; ') : (problem.detail ?? problem.title);
}
