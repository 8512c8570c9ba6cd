// Short ways to make elements. Text is always text, never markup.

/// An HTML element. Properties are set as such; `class`, `for`, `role`, `aria-*` and `data-*` as
/// attributes, `on*` functions as listeners.
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith('aria')) element[name] = value;
    else if (value !== undefined)
      element.setAttribute(name === 'className' ? 'class' : name, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/// An SVG element with these attributes.
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/// Sets a text only where it changes, so that screen readers hear what is new.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
