// How many cups of each drink are to be made. Knows no page.

/// The drinks of these orders, most cups first: [{ productName, cups }].
export function tally(orders) {
  const cups = new Map();
  for (const { productName, qty } of orders) {
    cups.set(productName, (cups.get(productName) || 0) + qty);
  }
  return [...cups]
    .map(([productName, count]) => ({ productName, cups: count }))
    .sort((a, b) => b.cups - a.cups || (a.productName < b.productName ? -1 : 1));
}
