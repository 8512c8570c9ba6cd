// The search of the reference: leaves in the list of contents what has each word that is typed.
// Without this script the list is whole.

const contents = document.querySelector('nav[aria-labelledby="contents"]');
const field = document.createElement('input');
const label = document.createElement('label');
const found = document.createElement('p');

field.type = 'search';
field.id = 'search';
label.htmlFor = field.id;
label.textContent = 'Search';
found.setAttribute('role', 'status');
contents.querySelector('h2').after(label, field, found);
field.addEventListener('input', search);

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (item) => words.every((word) => item.textContent.toLowerCase().includes(word));
  const items = [...contents.querySelectorAll('li')].filter((item) => !item.querySelector('ul'));
  for (const item of items) {
    const group = item.closest('ul').previousElementSibling;
    item.hidden = !has(item) && !(group && words.length > 0 && has(group));
  }
  for (const group of contents.querySelectorAll('li')) {
    const within = [...group.querySelectorAll('li')];
    if (within.length > 0) group.hidden = within.every((item) => item.hidden);
  }
  const shown = items.filter((item) => !item.hidden).length;
  found.textContent = words.length > 0 ? `${shown} found` : '';
}
