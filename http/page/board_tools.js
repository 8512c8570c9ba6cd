// What the staff can set on the board: a sound, a screen that stays awake, when an order is late.

import { tuneChime } from './chime.js';
import { byId, el, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { keepSettings, readSettings, sane } from './settings.js';
import { canStayAwake, stayAwake } from './wake_lock.js';

/// Fills the element `tools`. `onChange` is called when something was set; `settings()` of what is
/// returned says what holds.
export function boardTools(onChange) {
  let settings = readSettings();
  const sound = toggle('sound');
  const awake = toggle('awake');
  const late = minutes('late');
  const overdue = minutes('overdue');
  const summary = el('summary', {});
  awake.hidden = !canStayAwake;
  byId('tools').append(
    sound,
    awake,
    el('details', {}, summary, el('div', { className: 'limits' }, late.label, overdue.label)),
  );
  stayAwake(settings.awake);
  // A page that was opened anew may not sound before somebody touches it.
  document.addEventListener('click', () => settings.sound && tuneChime(), true);
  onLanguage(write);

  function set(change) {
    settings = sane({ ...settings, ...change });
    keepSettings(settings);
    write();
    onChange();
  }

  function toggle(name) {
    return el('button', {
      type: 'button',
      className: 'tool',
      onclick: () => {
        set({ [name]: !settings[name] });
        if (name === 'awake') stayAwake(settings.awake);
        else if (settings.sound) tuneChime();
      },
    });
  }

  function minutes(name) {
    const text = el('span', {});
    const field = el('input', {
      type: 'number',
      min: 1,
      max: 240,
      inputMode: 'numeric',
      onchange: () => set({ [name]: Number(field.value) }),
    });
    return { text, field, label: el('label', {}, text, ' ', field) };
  }

  function write() {
    for (const [name, button] of [
      ['sound', sound],
      ['awake', awake],
    ]) {
      setText(button, t(`tools.${name}`));
      button.setAttribute('aria-pressed', String(settings[name]));
    }
    setText(summary, t('tools.limits'));
    for (const [name, { text, field }] of [
      ['late', late],
      ['overdue', overdue],
    ]) {
      setText(text, t(`tools.${name}`));
      field.value = settings[name];
    }
  }

  return { settings: () => settings };
}
